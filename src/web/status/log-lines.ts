/** The log lines that the page keeps, merged from full and incremental events (status.md section 7). */
import { LEVEL_NAMES, type LogsMode, type ReadLogEntry } from "../../wire/status/event.ts";

/** status.md section 1. */
export const KEPT_LINES = 500;

export interface LogRow {
  readonly timestamp: number | undefined;
  readonly levelName: string;
  /** Without the newline at its end. */
  readonly message: string;
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
