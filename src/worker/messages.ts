/** What supervisor and worker tell each other over Bun's IPC (structured clone, so sets and undefined arrive as such). */
import type { Settings } from "../config/settings.ts";
import type { Loaded } from "../playlist/loaded.ts";
import type { IndexChannel } from "../routes/index-page.ts";
import type { LogLevel, LogLine } from "../system/log.ts";

/** A listening socket of the supervisor's that the worker adopts. */
export type HandedSocket =
  | { readonly fd: number; readonly address: string; readonly port: number }
  | { readonly fd: number; readonly path: string };

export interface StartMessage {
  readonly kind: "start";
  readonly settings: Settings;
  readonly logLevel: LogLevel;
  readonly sockets: readonly HandedSocket[];
  /** The shared counters of `Places`, and how many workers they are for. */
  readonly places: { readonly fd: number; readonly workers: number };
  /** What the page at `/` lists besides the channels of the playlists. */
  readonly channels: readonly IndexChannel[];
  /** What worker 0 has loaded so far, perhaps an earlier one. */
  readonly loaded: readonly Loaded[];
}

/** Worker 0 has loaded something, and the supervisor keeps it for all. */
export interface LoadedMessage {
  readonly kind: "loaded";
  readonly loaded: Loaded;
}

export type ToWorker =
  | StartMessage
  /** A reload: everything new uses these settings, and the access log is opened anew. */
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "log-level"; readonly level: LogLevel }
  | LoadedMessage;

export type FromWorker =
  /** It accepts connections. */
  { readonly kind: "ready" } | { readonly kind: "log"; readonly lines: readonly LogLine[] } | LoadedMessage;
