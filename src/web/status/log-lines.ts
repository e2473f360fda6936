/** The log lines that the page keeps, merged from full and incremental events (status.md section 7). */
import type { LogEntry, LogsMode } from "./payload.ts";

export const LOG_LEVELS = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG"] as const;

const LEVEL_NAMES: readonly string[] = LOG_LEVELS;

/** status.md section 1. */
export const KEPT_LINES = 500;

export interface LogRow extends LogEntry {
  /** Counts up: tells lines apart that are alike. */
  readonly key: number;
}

export class LogLines {
  #rows: readonly LogRow[] = [];
  #nextKey = 0;

  /** Oldest first; another array after every change. */
  get rows(): readonly LogRow[] {
    return this.#rows;
  }

  apply(mode: LogsMode, entries: readonly LogEntry[]): void {
    if (mode === "none" || (mode === "incremental" && entries.length === 0)) return;
    const rows = entries.map((entry) => ({ ...entry, key: this.#nextKey++ }));
    this.#rows = (mode === "full" ? rows : [...this.#rows, ...rows]).slice(-KEPT_LINES);
  }
}

/** Lines that a server with this level would print; a name that is no level always is. */
export function linesUpTo(rows: readonly LogRow[], level: number | undefined): readonly LogRow[] {
  if (level === undefined) return rows;
  return rows.filter(({ levelName }) => LEVEL_NAMES.indexOf(levelName) <= level);
}
