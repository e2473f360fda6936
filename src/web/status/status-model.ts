/** All that the page shows, made from the events so far. */
import {
  LEVEL_NAMES,
  type LogsMode,
  type ReadClient,
  type ReadLogEntry,
  type ReadStatusEvent,
} from "../../wire/status/event.ts";
import { History } from "./history.ts";
import { isTrouble, UpstreamList } from "./upstream-health.ts";

/** The one sentence at the top, the worst that is true. */
export type Verdict = "unknown" | "stale" | "upstreams" | "clients" | "idle" | "fine";

export class StatusModel {
  readonly clients = new ClientList();
  readonly upstreams = new UpstreamList();
  readonly history = new History();
  readonly logs = new LogLines();
  /** The last one. */
  event: ReadStatusEvent | undefined;
  /** When the last event came, Unix ms. */
  updatedMs: number | undefined;

  apply(event: ReadStatusEvent, nowMs: number): void {
    this.event = event;
    this.updatedMs = nowMs;
    this.clients.apply(event.clients);
    this.upstreams.apply(event.upstreams ?? [], nowMs);
    this.history.apply(event, nowMs);
    this.logs.apply(event.logsMode, event.logs);
  }

  get upstreamsInTrouble(): number {
    return this.upstreams.rows.filter(({ health }) => isTrouble(health)).length;
  }

  get slowClients(): number {
    return this.clients.connected.filter(({ client }) => client.slow === 1).length;
  }

  verdict(isConnected: boolean): Verdict {
    if (this.event === undefined) return "unknown";
    if (!isConnected) return "stale";
    if (this.upstreamsInTrouble > 0) return "upstreams";
    if (this.slowClients > 0) return "clients";
    return this.clients.connected.length === 0 ? "idle" : "fine";
  }
}

/** How many clients that are gone are remembered. */
const GONE_CLIENTS = 100;

export interface ClientRow {
  /** As it was last seen: duration and counters of a client that is gone stand still. */
  readonly client: ReadClient;
  readonly isGone: boolean;
}

/** In the order of the page: connected ones in the order of their arrival, then those that went, the last to go first. */
export class ClientList {
  #connected = new Map<string, ClientRow>();
  #gone: ClientRow[] = [];

  get connected(): readonly ClientRow[] {
    return [...this.#connected.values()];
  }

  /** Gone since the page was opened, the last to go first; at most `GONE_CLIENTS`. */
  get gone(): readonly ClientRow[] {
    return this.#gone;
  }

  apply(clients: readonly ReadClient[]): void {
    // Among those that are new together, the one that came first stands first.
    const arrivals = [...clients].sort((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0));
    const seen = new Map(arrivals.map((client) => [client.clientId, { client, isGone: false }]));
    const stayed = [...this.#connected.keys()].flatMap((id) => seen.get(id) ?? []);
    const left = [...this.#connected.values()].filter(({ client }) => !seen.has(client.clientId));
    this.#connected = new Map([...stayed, ...seen.values()].map((row) => [row.client.clientId, row]));
    const goneBefore = this.#gone.filter(({ client }) => !seen.has(client.clientId));
    this.#gone = [...left.map((row) => ({ ...row, isGone: true })), ...goneBefore].slice(0, GONE_CLIENTS);
  }
}

/** status.md section 1. */
const KEPT_LINES = 500;

export interface LogRow {
  readonly timestamp: number | undefined;
  readonly levelName: string;
  /** Without the newline at its end. */
  readonly message: string;
  /** Counts up: tells lines apart that are alike. */
  readonly key: number;
}

/** The log lines that the page keeps, merged from full and incremental events (status.md section 7). */
class LogLines {
  #rows: readonly LogRow[] = [];
  #nextKey = 0;

  /** Oldest first; another array after every change. */
  get rows(): readonly LogRow[] {
    return this.#rows;
  }

  apply(mode: LogsMode, entries: readonly ReadLogEntry[]): void {
    if (mode === "none" || (mode === "incremental" && entries.length === 0)) return;
    const rows = entries.map(({ timestamp, levelName = "", message = "" }) => {
      return { timestamp, levelName, message: message.trimEnd(), key: this.#nextKey++ };
    });
    this.#rows = (mode === "full" ? rows : [...this.#rows, ...rows]).slice(-KEPT_LINES);
  }
}

/** Lines that a server with this level would print; a name that is no level always is. */
export function linesUpTo(rows: readonly LogRow[], level: number | undefined): readonly LogRow[] {
  if (level === undefined) return rows;
  const hidden: readonly string[] = LEVEL_NAMES.slice(level + 1);
  return rows.filter(({ levelName }) => !hidden.includes(levelName));
}
