/** The events of the status stream, read with care: a member that is missing or of another type is `undefined` (status.md section 3). */

export interface ClientStatus {
  readonly id: string;
  readonly workerPid: number | undefined;
  readonly durationMs: number | undefined;
  readonly address: string | undefined;
  readonly serviceUrl: string | undefined;
  readonly state: number | undefined;
  readonly bytesSent: number | undefined;
  /** Bytes per second, as all bandwidths here. */
  readonly bandwidth: number | undefined;
  readonly queueBytes: number | undefined;
  readonly queueLimitBytes: number | undefined;
  readonly queuePeakBytes: number | undefined;
  readonly droppedBytes: number | undefined;
  readonly droppedPackets: number | undefined;
  readonly backpressureEvents: number | undefined;
  readonly isSlow: boolean;
  readonly upstream: string | undefined;
  readonly upstreamId: string | undefined;
  readonly userAgent: string | undefined;
}

export interface UpstreamStatus {
  readonly id: string;
  readonly workerId: number | undefined;
  readonly kind: string | undefined;
  readonly url: string | undefined;
  readonly interfaceName: string | undefined;
  readonly receiver: string | undefined;
  readonly clients: number | undefined;
  readonly bandwidth: number | undefined;
  readonly totalBytes: number | undefined;
  readonly rtpLost: number | undefined;
  readonly rtpReordered: number | undefined;
  readonly rtpDuplicates: number | undefined;
  readonly continuityErrors: number | undefined;
  /** Since the last data; -1 while there were none. */
  readonly lastDataMs: number | undefined;
}

export interface PoolStatus {
  readonly total: number | undefined;
  readonly used: number | undefined;
  readonly max: number | undefined;
  readonly exhaustions: number | undefined;
  /** Percent. */
  readonly utilization: number | undefined;
}

export interface WorkerStatus {
  readonly id: number;
  /** 0 while it does not run. */
  readonly pid: number | undefined;
  readonly clients: number | undefined;
  readonly bandwidth: number | undefined;
  readonly totalBytes: number | undefined;
  readonly sends: number | undefined;
  readonly batches: number | undefined;
  /** Sends that the kernel refused: EAGAIN and ENOBUFS. */
  readonly refusals: number | undefined;
  readonly mediaPool: PoolStatus;
  readonly controlPool: PoolStatus;
}

export interface LogEntry {
  readonly timestamp: number | undefined;
  readonly levelName: string;
  readonly message: string;
}

export type LogsMode = "full" | "incremental" | "none";

export interface StatusEvent {
  readonly uptimeMs: number | undefined;
  readonly logLevel: number | undefined;
  readonly version: string | undefined;
  readonly maxClients: number | undefined;
  readonly clients: readonly ClientStatus[];
  readonly totalBytesSent: number | undefined;
  readonly totalBandwidth: number | undefined;
  readonly workers: readonly WorkerStatus[];
  /** undefined: the server does not report them. */
  readonly upstreams: readonly UpstreamStatus[] | undefined;
  readonly logsMode: LogsMode;
  readonly logs: readonly LogEntry[];
}

/** @returns undefined if `text` is no JSON object */
export function parseStatusEvent(text: string): StatusEvent | undefined {
  const event = parseObject(text);
  if (event === undefined) return undefined;
  return {
    uptimeMs: number(event, "uptimeMs"),
    logLevel: number(event, "currentLogLevel"),
    version: string(event, "version"),
    maxClients: number(event, "maxClients"),
    clients: (objects(event, "clients") ?? []).flatMap(readClient),
    totalBytesSent: number(event, "totalBytesSent"),
    totalBandwidth: number(event, "totalBandwidth"),
    workers: (objects(event, "workers") ?? []).map(readWorker),
    upstreams: objects(event, "upstreams")?.flatMap(readUpstream),
    logsMode: readLogsMode(event),
    logs: (objects(event, "logs") ?? []).map(readLogEntry),
  };
}

type Members = Readonly<Record<string, unknown>>;

/** A client without an id can neither be told from others nor disconnected: it is left out. */
function readClient(client: Members): ClientStatus[] {
  const id = string(client, "clientId");
  if (id === undefined) return [];
  return [
    {
      id,
      workerPid: number(client, "workerPid"),
      durationMs: number(client, "durationMs"),
      address: string(client, "clientAddr"),
      serviceUrl: string(client, "serviceUrl"),
      state: number(client, "state"),
      bytesSent: number(client, "bytesSent"),
      bandwidth: number(client, "currentBandwidth"),
      queueBytes: number(client, "queueBytes"),
      queueLimitBytes: number(client, "queueLimitBytes"),
      queuePeakBytes: number(client, "queueBytesHighwater"),
      droppedBytes: number(client, "droppedBytes"),
      droppedPackets: number(client, "droppedPackets"),
      backpressureEvents: number(client, "backpressureEvents"),
      isSlow: number(client, "slow") === 1,
      upstream: string(client, "upstream"),
      upstreamId: string(client, "upstreamId"),
      userAgent: string(client, "userAgent"),
    },
  ];
}

function readUpstream(upstream: Members): UpstreamStatus[] {
  const id = string(upstream, "id") ?? number(upstream, "id")?.toString();
  if (id === undefined) return [];
  return [
    {
      id,
      workerId: number(upstream, "workerId"),
      kind: string(upstream, "kind"),
      url: string(upstream, "url"),
      interfaceName: string(upstream, "interface"),
      receiver: string(upstream, "receiver"),
      clients: number(upstream, "clients"),
      bandwidth: number(upstream, "bandwidth"),
      totalBytes: number(upstream, "totalBytes"),
      rtpLost: number(upstream, "rtpLost"),
      rtpReordered: number(upstream, "rtpReordered"),
      rtpDuplicates: number(upstream, "rtpDuplicates"),
      continuityErrors: number(upstream, "tsContinuityErrors"),
      lastDataMs: number(upstream, "lastDataMs"),
    },
  ];
}

function readWorker(worker: Members, index: number): WorkerStatus {
  const send = object(worker["send"]);
  const refusals = ["eagain", "enobufs"].flatMap((name) => number(send, name) ?? []);
  return {
    id: number(worker, "id") ?? index,
    pid: number(worker, "pid"),
    clients: number(worker, "activeClients"),
    bandwidth: number(worker, "totalBandwidth"),
    totalBytes: number(worker, "totalBytes"),
    sends: number(send, "total"),
    batches: number(send, "batch"),
    refusals: refusals.length === 0 ? undefined : refusals.reduce((sum, count) => sum + count),
    mediaPool: readPool(object(worker["pool"])),
    controlPool: readPool(object(worker["controlPool"])),
  };
}

function readPool(pool: Members): PoolStatus {
  return {
    total: number(pool, "total"),
    used: number(pool, "used"),
    max: number(pool, "max"),
    exhaustions: number(pool, "exhaustions"),
    utilization: number(pool, "utilization"),
  };
}

function readLogEntry(entry: Members): LogEntry {
  return {
    timestamp: number(entry, "timestamp"),
    levelName: string(entry, "levelName") ?? "",
    message: (string(entry, "message") ?? "").trimEnd(),
  };
}

function readLogsMode(event: Members): LogsMode {
  const mode = event["logsMode"];
  return mode === "full" || mode === "incremental" ? mode : "none";
}

function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: unknown): Members {
  return isObject(value) ? value : {};
}

function objects(members: Members, name: string): Members[] | undefined {
  const value = members[name];
  return Array.isArray(value) ? value.filter(isObject) : undefined;
}

function number(members: Members, name: string): number | undefined {
  const value = members[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function string(members: Members, name: string): string | undefined {
  const value = members[name];
  return typeof value === "string" ? value : undefined;
}
