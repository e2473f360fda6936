/** The last log lines of all processes, as the status page shows them (status.md section 7). */
import type { LogLine } from "../system/log.ts";
import { LEVEL_NAMES, type LogEntry, type LogNews } from "../wire/status/event.ts";

const LOG_RING_ENTRIES = 100;

export interface LogReading extends LogNews {
  /** Where the reader stands now. */
  readonly cursor: number;
}

/** Lines have ids that count up. A reader's cursor is the id of the first line that it has not seen. */
export class LogRing {
  readonly #entries: LogEntry[] = [];
  #nextId = 1;
  /** Called after every change. */
  onChanged: (() => void) | undefined;

  append({ level, time, text }: LogLine): void {
    this.#push({ timestamp: time, level, levelName: LEVEL_NAMES[level], message: text });
    this.onChanged?.();
  }

  /** Every reader's next reading is a full one. */
  clear(): void {
    this.#entries.length = 0;
    // An id that no line has: it puts all cursors behind the oldest line, as if they had missed one.
    this.#nextId++;
    this.onChanged?.();
  }

  /** Does what a reading of another ring says, so that both hold the same lines. */
  replay({ logsMode, logs }: LogReading): void {
    if (logsMode === "full") this.clear();
    for (const entry of logs) this.#push(entry);
  }

  /** @param cursor of the reading before; 0 for the first one */
  read(cursor: number): LogReading {
    const oldestId = this.#nextId - this.#entries.length;
    const logsMode = cursor < oldestId ? "full" : cursor < this.#nextId ? "incremental" : "none";
    const logs = this.#entries.slice(Math.max(cursor - oldestId, 0));
    return { logsMode, logs, cursor: this.#nextId };
  }

  #push(entry: LogEntry): void {
    if (this.#entries.length === LOG_RING_ENTRIES) this.#entries.shift();
    this.#entries.push(entry);
    this.#nextId++;
  }
}
