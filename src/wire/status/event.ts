/**
 * An event of the status stream (status.md sections 3 and 7): one table says the members, for the server that writes them and for the
 * page that reads them, which may be older or newer than its server.
 */

/** A member's type; the members of an object, in their order; in brackets, a list of such. */
type Schema = "text" | "number" | { readonly [member: string]: Schema } | readonly [Schema];

/** As the server writes it: complete, all numbers finite. */
type Written<S> = S extends "text"
  ? string
  : S extends "number"
    ? number
    : S extends readonly [infer Item]
      ? readonly Written<Item>[]
      : { readonly [Name in keyof S]: Written<S[Name]> };

/** As the page reads it: a member that is missing or of another type is undefined. */
type Read<S> = S extends "text"
  ? string | undefined
  : S extends "number"
    ? number | undefined
    : S extends readonly [infer Item]
      ? readonly Read<Item>[] | undefined
      : { readonly [Name in keyof S]: Read<S[Name]> };

const CLIENT = {
  clientId: "text",
  workerPid: "number",
  durationMs: "number",
  clientAddr: "text",
  serviceUrl: "text",
  /** A `ClientState`. */
  state: "number",
  bytesSent: "number",
  /** Bytes per second, as all bandwidths here. */
  currentBandwidth: "number",
  queueBytes: "number",
  queueLimitBytes: "number",
  queueBytesHighwater: "number",
  droppedBytes: "number",
  /** 1 or 0. */
  slow: "number",
  droppedPackets: "number",
  backpressureEvents: "number",
  /** The kind of its upstream. */
  upstream: "text",
  /** The receiver of its upstream; empty while there is none. */
  receiver: "text",
  /** `id` of its upstream; empty while there is none. */
  upstreamId: "text",
  userAgent: "text",
} as const satisfies Schema;

/** In buffers of 1536 bytes. */
const POOL = {
  total: "number",
  free: "number",
  used: "number",
  max: "number",
  expansions: "number",
  exhaustions: "number",
  shrinks: "number",
  /** Percent of `total`, one decimal. */
  utilization: "number",
} as const satisfies Schema;

const SEND = {
  total: "number",
  completions: "number",
  copied: "number",
  eagain: "number",
  enobufs: "number",
  batch: "number",
} as const satisfies Schema;

const WORKER = {
  id: "number",
  /** 0 while it does not run. */
  pid: "number",
  activeClients: "number",
  totalBandwidth: "number",
  totalBytes: "number",
  send: SEND,
  pool: POOL,
  controlPool: POOL,
} as const satisfies Schema;

/** How a group was opened by fast channel change. */
const FCC = {
  /** Empty: it was not. */
  state: "text",
  server: "text",
  dialect: "text",
  /** From the request to the first unicast packet; −1: there was none. */
  firstUnicastMs: "number",
  burstBytes: "number",
  /** Missing between unicast and multicast; −1: they have not met. */
  gapPackets: "number",
} as const satisfies Schema;

const PID = {
  /** −1: all that are not listed by themselves. */
  pid: "number",
  packets: "number",
  bandwidth: "number",
  continuityErrors: "number",
  /** Of `packets`. */
  scrambled: "number",
} as const satisfies Schema;

/** An elementary stream. Numbers are 0 and texts empty while unknown. */
const STREAM = {
  pid: "number",
  /** stream_type of the PMT. */
  type: "number",
  /** `video`, `audio`, `subtitles`, `teletext` or `data`. */
  kind: "text",
  codec: "text",
  /** ISO 639-2 */
  language: "text",
  width: "number",
  height: "number",
  /** Pictures a second. */
  frameRate: "number",
  /** 1 or 0. */
  interlaced: "number",
  /** In Hz. */
  sampleRate: "number",
  channels: "number",
} as const satisfies Schema;

const PROGRAMME = {
  number: "number",
  pmtPid: "number",
  name: "text",
  provider: "text",
  streams: [STREAM],
} as const satisfies Schema;

/** How the media of an upstream is (health.md). What needs a look at every packet is counted while somebody looks. */
const HEALTH = {
  /** MPEG-TS packets that were looked at; 0: nobody has. */
  tsPackets: "number",
  nullPackets: "number",
  scrambledPackets: "number",
  transportErrors: "number",
  syncLosses: "number",
  patErrors: "number",
  pmtErrors: "number",
  pcrErrors: "number",
  pcrJumps: "number",
  pcrJitterMs: "number",
  ptsErrors: "number",
  /** Those of `rtpDuplicates` whose turn was over. */
  rtpLate: "number",
  rtpSenderChanges: "number",
  rtpJitterMs: "number",
  /** Datagrams that had reached this machine, and that its kernel has dropped. */
  kernelDrops: "number",
  programmes: [PROGRAMME],
  pids: [PID],
} as const satisfies Schema;

const UPSTREAM = {
  id: "text",
  workerId: "number",
  /** What it is, in the word of whoever opens it: `multicast`, `http`. */
  kind: "text",
  url: "text",
  /** Empty when the routing table decides. */
  interface: "text",
  /** How its bytes are read; `stream` for a byte stream, which waits while a client does not read. */
  receiver: "text",
  /** How many share it. */
  clients: "number",
  bandwidth: "number",
  totalBytes: "number",
  rtpLost: "number",
  rtpReordered: "number",
  /** Packets that were there already, or came when their turn was over. */
  rtpDuplicates: "number",
  /** Lost packets that parity (FEC) gave back; they are not in `rtpLost`. */
  rtpRepaired: "number",
  /** Those of `rtpLost` that parity could not give back; 0 where there is none. */
  rtpUnrepaired: "number",
  /** Counted only while somebody watches. */
  tsContinuityErrors: "number",
  /** Since data came last; −1 before the first. */
  lastDataMs: "number",
  fcc: FCC,
  health: HEALTH,
} as const satisfies Schema;

const LOG_ENTRY = {
  timestamp: "number",
  level: "number",
  levelName: "text",
  message: "text",
} as const satisfies Schema;

/** Since the start of the service, by clients and upstreams that are there and by those that are gone. */
const TOTALS = {
  /** How many were let in. */
  clients: "number",
  bytesSent: "number",
  droppedPackets: "number",
  droppedBytes: "number",
  backpressureEvents: "number",
  /** How many were opened. */
  upstreams: "number",
  bytesReceived: "number",
  rtpLost: "number",
  rtpReordered: "number",
  rtpDuplicates: "number",
  rtpRepaired: "number",
  rtpUnrepaired: "number",
  tsContinuityErrors: "number",
  kernelDrops: "number",
} as const satisfies Schema;

/** Everything but the log, in the order of the specification, and behind that what is ours. */
const SERVICE = {
  /** Unix time in ms. */
  serverStartTime: "number",
  uptimeMs: "number",
  currentLogLevel: "number",
  version: "text",
  maxClients: "number",
  clients: [CLIENT],
  totalClients: "number",
  totalBytesSent: "number",
  totalBandwidth: "number",
  workers: [WORKER],
  upstreams: [UPSTREAM],
  totals: TOTALS,
} as const satisfies Schema;

const EVENT = { ...SERVICE, logsMode: "text", logs: [LOG_ENTRY] } as const satisfies Schema;

export type ClientReport = Omit<Written<typeof CLIENT>, "workerPid">;
export type FccReport = Written<typeof FCC>;
export type HealthReport = Written<typeof HEALTH>;
export type UpstreamReport = Written<typeof UPSTREAM>;
export type SendReport = Written<typeof SEND>;
export type PoolReport = Written<typeof POOL>;
export type Totals = Written<typeof TOTALS>;
export type ServiceStatus = Written<typeof SERVICE>;
export type LogEntry = Written<typeof LOG_ENTRY>;

/** Of which there is none. */
export const NO_POOL = Object.fromEntries(Object.keys(POOL).map((name) => [name, 0])) as PoolReport;

export const TOTAL_NAMES = Object.keys(TOTALS) as readonly (keyof Totals)[];

/** What a reader has to do with `logs`: replace its list, append to it, or nothing. */
const LOGS_MODES = ["full", "incremental", "none"] as const;
export type LogsMode = (typeof LOGS_MODES)[number];

export interface LogNews {
  readonly logsMode: LogsMode;
  readonly logs: readonly LogEntry[];
}

/** By level. */
export const LEVEL_NAMES = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG"] as const;

/** What has no id can neither be told from others nor be ordered anything: it is left out. */
export type ReadClient = Read<typeof CLIENT> & { readonly clientId: string };
export type ReadUpstream = Read<typeof UPSTREAM> & { readonly id: string };
export type ReadWorker = Read<typeof WORKER>;
export type ReadPool = Read<typeof POOL>;
export type ReadLogEntry = Read<typeof LOG_ENTRY>;

export interface ReadStatusEvent extends Omit<Read<typeof EVENT>, "clients" | "upstreams"> {
  readonly clients: readonly ReadClient[];
  readonly workers: readonly ReadWorker[];
  /** Undefined: the server does not report them. */
  readonly upstreams: readonly ReadUpstream[] | undefined;
  readonly logsMode: LogsMode;
  readonly logs: readonly ReadLogEntry[];
}

/** Everything up to the log, which `emitLogNews` writes: most readers share the first part and not the second. */
export function emitServiceStatus(status: ServiceStatus): string {
  return escapedJson(status).slice(0, -1);
}

export function emitLogNews({ logsMode, logs }: LogNews): string {
  return `,${escapedJson({ logsMode, logs }).slice(1)}`;
}

/** @returns undefined if `text` is no JSON object */
export function parseStatusEvent(text: string): ReadStatusEvent | undefined {
  const value = parsedJson(text);
  if (!isObject(value)) return undefined;
  const event = read(EVENT, value) as Read<typeof EVENT>;
  return {
    ...event,
    clients: (event.clients ?? []).filter((client): client is ReadClient => client.clientId !== undefined),
    workers: event.workers ?? [],
    upstreams: event.upstreams?.filter((upstream): upstream is ReadUpstream => upstream.id !== undefined),
    logsMode: LOGS_MODES.find((mode) => mode === event.logsMode) ?? "none",
    logs: event.logs ?? [],
  };
}

function read(schema: Schema, value: unknown): unknown {
  if (schema === "text") return typeof value === "string" ? value : undefined;
  if (schema === "number") return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  if (isList(schema))
    return Array.isArray(value) ? value.filter(isObject).map((item) => read(schema[0], item)) : undefined;
  const members = isObject(value) ? value : {};
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, read(member, members[name])]));
}

function isList(schema: Schema): schema is readonly [Schema] {
  return Array.isArray(schema);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** These three stand in strings only: JSON has no other use for them. */
function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
