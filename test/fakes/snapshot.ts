/** Snapshots of a service in which nothing happens. */
import type { ServiceSnapshot } from "../../src/status/snapshot.ts";
import { WorkerTotals } from "../../src/status/totals.ts";

/** The memory of a worker that has none. */
export const NO_POOL = {
  total: 0,
  free: 0,
  used: 0,
  max: 0,
  expansions: 0,
  exhaustions: 0,
  shrinks: 0,
  utilization: 0,
};

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
