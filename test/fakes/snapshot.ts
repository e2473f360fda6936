/** Snapshots of a service in which nothing happens. */
import type { ServiceSnapshot } from "../../src/status/snapshot.ts";
import { WorkerTotals } from "../../src/status/totals.ts";

export function snapshotWith(changed: Partial<ServiceSnapshot> = {}): ServiceSnapshot {
  return {
    serverStartTime: 0,
    uptimeMs: 0,
    currentLogLevel: 3,
    version: "0.1.0",
    maxClients: 5,
    totals: new WorkerTotals().all,
    workers: [],
    ...changed,
  };
}
