/** All workers at one moment, as the supervisor puts it together, and what of it the status page is told (status.md section 3). */
import {
  type ClientReport,
  NO_POOL,
  type PoolReport,
  type SendReport,
  type ServiceStatus,
  type Totals,
  type UpstreamReport,
} from "../wire/status/event.ts";

/** What a worker tells of itself when it is asked. */
export interface WorkerReport {
  readonly clients: readonly ClientReport[];
  readonly upstreams: readonly UpstreamReport[];
  readonly send: SendReport;
  readonly pool: PoolReport;
}

/** A configured worker. */
export interface WorkerSnapshot {
  readonly id: number;
  /** 0 while it is not running. */
  readonly pid: number;
  /** Since the start of the service, whoever ran here. */
  readonly totals: Totals;
  /** The last that it has told, if it has. */
  readonly report: WorkerReport | undefined;
  /** How long ago that was, in ms. */
  readonly ageMs: number;
}

export interface ServiceSnapshot {
  /** Unix time in ms. */
  readonly serverStartTime: number;
  readonly uptimeMs: number;
  readonly currentLogLevel: number;
  readonly version: string;
  readonly maxClients: number;
  /** By workers that are no more, too. */
  readonly totals: Totals;
  readonly workers: readonly WorkerSnapshot[];
}

const NOTHING_SENT: SendReport = { total: 0, completions: 0, copied: 0, eagain: 0, enobufs: 0, batch: 0 };

/** The order of members is that of the event. */
export function serviceStatus(snapshot: ServiceSnapshot): ServiceStatus {
  const clients = snapshot.workers.flatMap(clientsOf);
  return {
    serverStartTime: snapshot.serverStartTime,
    uptimeMs: Math.round(snapshot.uptimeMs),
    currentLogLevel: snapshot.currentLogLevel,
    version: snapshot.version,
    maxClients: snapshot.maxClients,
    clients,
    totalClients: clients.length,
    totalBytesSent: snapshot.totals.bytesSent,
    totalBandwidth: bandwidthOf(clients),
    workers: snapshot.workers.map(workerOf),
    upstreams: snapshot.workers.flatMap(({ report }) => report?.upstreams ?? []),
    totals: snapshot.totals,
  };
}

function clientsOf({ pid, report, ageMs }: WorkerSnapshot) {
  return (report?.clients ?? []).map(({ clientId, durationMs, ...rest }) => ({
    clientId,
    workerPid: pid,
    durationMs: Math.round(durationMs + ageMs),
    ...rest,
  }));
}

function workerOf({ id, pid, totals, report }: WorkerSnapshot) {
  const clients = report?.clients ?? [];
  return {
    id,
    pid,
    activeClients: clients.length,
    totalBandwidth: bandwidthOf(clients),
    totalBytes: totals.bytesSent,
    send: report?.send ?? NOTHING_SENT,
    pool: report?.pool ?? NO_POOL,
    // There is none.
    controlPool: NO_POOL,
  };
}

function bandwidthOf(clients: readonly Pick<ClientReport, "currentBandwidth">[]): number {
  return clients.reduce((sum, { currentBandwidth }) => sum + currentBandwidth, 0);
}
