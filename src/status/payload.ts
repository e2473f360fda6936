/** The text of the status payload (status.md section 3), made once for all who watch but for the log lines. */
import type { LogLevel } from "../system/log.ts";
import type { LogReading } from "./log-ring.ts";
import { NO_POOL } from "./pool-report.ts";
import type { ClientReport, SendReport, WorkerReport } from "./report.ts";

/** A configured worker. */
export interface WorkerStatus {
  readonly id: number;
  /** 0 while it is not running. */
  readonly pid: number;
  /** Bytes since the start of the service, whoever ran here. */
  readonly totalBytes: number;
  /** The last that it has told, if it has. */
  readonly report: WorkerReport | undefined;
  /** How long ago that was, in ms. */
  readonly ageMs: number;
}

export interface ServiceStatus {
  /** Unix time in ms. */
  readonly serverStartTime: number;
  readonly uptimeMs: number;
  readonly currentLogLevel: LogLevel;
  readonly version: string;
  readonly maxClients: number;
  /** By workers that are no more, too. */
  readonly totalBytesSent: number;
  readonly workers: readonly WorkerStatus[];
}

const NOTHING_SENT: SendReport = { total: 0, completions: 0, copied: 0, eagain: 0, enobufs: 0, batch: 0 };

/** Everything up to `logsMode`, which `payloadEnd` follows. */
export function payloadStart(service: ServiceStatus): string {
  const clients = service.workers.flatMap(clientsOf);
  const text = escapedJson({
    serverStartTime: service.serverStartTime,
    uptimeMs: Math.round(service.uptimeMs),
    currentLogLevel: service.currentLogLevel,
    version: service.version,
    maxClients: service.maxClients,
    clients,
    totalClients: clients.length,
    totalBytesSent: service.totalBytesSent,
    totalBandwidth: bandwidthOf(clients),
    workers: service.workers.map(workerOf),
    upstreams: service.workers.flatMap(({ report }) => report?.upstreams ?? []),
  });
  return text.slice(0, -1);
}

export function payloadEnd({ logsMode, logs }: LogReading): string {
  return `,${escapedJson({ logsMode, logs }).slice(1)}`;
}

function clientsOf({ pid, report, ageMs }: WorkerStatus) {
  return (report?.clients ?? []).map(({ clientId, durationMs, ...rest }) => ({
    clientId,
    workerPid: pid,
    durationMs: Math.round(durationMs + ageMs),
    ...rest,
  }));
}

function workerOf({ id, pid, totalBytes, report }: WorkerStatus) {
  const clients = report?.clients ?? [];
  return {
    id,
    pid,
    activeClients: clients.length,
    totalBandwidth: bandwidthOf(clients),
    totalBytes,
    send: report?.send ?? NOTHING_SENT,
    pool: report?.pool ?? NO_POOL,
    controlPool: NO_POOL,
  };
}

function bandwidthOf(clients: readonly Pick<ClientReport, "currentBandwidth">[]): number {
  return clients.reduce((sum, { currentBandwidth }) => sum + currentBandwidth, 0);
}

/** These three stand in strings only: JSON has no other use for them. */
function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
