/** What supervisor and worker tell each other over Bun's IPC (structured clone, so sets and undefined arrive as such). */
import type { Settings } from "../config/settings.ts";
import type { Loaded } from "../playlist/loaded.ts";
import type { ListVersion, SuspectList } from "../playlist/suspects.ts";
import type { LogReading } from "../status/log-ring.ts";
import type { ServiceSnapshot, WorkerReport } from "../status/snapshot.ts";
import type { LogLevel, LogLine } from "../system/log.ts";

/** A listening socket of the supervisor's that the worker adopts. */
export type InheritedSocket =
  | { readonly fd: number; readonly address: string; readonly port: number }
  | { readonly fd: number; readonly path: string };

export interface StartMessage {
  readonly kind: "start";
  readonly settings: Settings;
  readonly logLevel: LogLevel;
  readonly sockets: readonly InheritedSocket[];
  /** The shared counters of `SharedSlots`, and how many workers they are for. */
  readonly clientSlots: { readonly fd: number; readonly workers: number };
  /** The shared memory of `WorkerTotals`, for as many workers. */
  readonly totals: { readonly fd: number };
  /** With which links are sealed, so that each worker knows those of the others. */
  readonly linkKey: string;
  /** What worker 0 has loaded so far, perhaps an earlier one. */
  readonly loaded: readonly Loaded[];
  /** What earlier workers have died of. */
  readonly suspects: readonly SuspectList[];
}

/** Worker 0 has loaded something, and the supervisor keeps it for all. */
interface LoadedMessage {
  readonly kind: "loaded";
  readonly loaded: Loaded;
}

export type ToWorker =
  | StartMessage
  /** A reload: everything new uses these settings, and the access log is opened anew. */
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "log-level"; readonly level: LogLevel }
  /** Whether it still answers: with `alive`. */
  | { readonly kind: "alive?" }
  | LoadedMessage
  | StatusToWorker;

export type StatusToWorker =
  /** A `report` is wanted, and while somebody watches one more after each change. */
  | { readonly kind: "ask"; readonly isWatched: boolean }
  /** All workers together, for those who watch through this one, and what is new in the log. */
  | { readonly kind: "snapshot"; readonly snapshot: ServiceSnapshot; readonly logs: LogReading }
  /** Another worker's question, to be answered with `disconnected`. */
  | ({ readonly kind: "disconnect" } & DisconnectQuestion)
  /** The answer to this worker's. */
  | { readonly kind: "disconnected"; readonly question: number; readonly isFound: boolean };

interface DisconnectQuestion {
  readonly question: number;
  readonly clientId: string;
  /** The worker that asks. */
  readonly from: number;
}

export type FromWorker =
  /** It accepts connections. */
  | { readonly kind: "ready" }
  | { readonly kind: "alive" }
  /** All lists have been asked for once, or another one has come. */
  | { readonly kind: "channels"; readonly loaded: { readonly channels: number; readonly failed: number } }
  /** It reads a list from elsewhere; what it may die of is known then. */
  | { readonly kind: "reading"; readonly list: ListVersion }
  /** All of it is read. */
  | { readonly kind: "read" }
  | { readonly kind: "log"; readonly lines: readonly LogLine[] }
  | LoadedMessage
  /** A process of its own runs, to be ended with it, or has ended. */
  | { readonly kind: "helper"; readonly pid: number; readonly isRunning: boolean }
  | StatusFromWorker;

export type StatusFromWorker =
  /** It wants snapshots from now on, because somebody watches, or wants none any more. */
  | { readonly kind: "watch"; readonly isWatching: boolean }
  | { readonly kind: "report"; readonly report: WorkerReport }
  /** Which worker has that client? */
  | { readonly kind: "disconnect"; readonly question: number; readonly clientId: string }
  | { readonly kind: "disconnected"; readonly question: number; readonly from: number; readonly isFound: boolean }
  /** What the status page wants of the supervisor. */
  | { readonly kind: "set-log-level"; readonly level: LogLevel }
  | { readonly kind: "clear-logs" | "reload" | "renew-workers" };
