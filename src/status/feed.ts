/** Status events in a worker: made once for all readers that have seen the same log lines, and only while there are readers. */
import { emitLogNews, emitServiceStatus } from "../wire/status/event.ts";
import { type LogReading, LogRing } from "./log-ring.ts";
import { type ServiceSnapshot, serviceStatus } from "./snapshot.ts";

interface FeedEvent {
  /** One event of the stream, to be left as it is: others send the same bytes. */
  readonly bytes: Uint8Array;
  /** Where its reader stands in the log now. */
  readonly cursor: number;
}

/** In a worker. One reader more takes the place of another, which its browser will ask for again. */
const MAX_READERS = 100;

export interface FeedReader {
  /** An event that it has begun waits for its client. */
  readonly isBehind: boolean;
  /** There is something to `read`. */
  published(): void;
  /** Another has its place now: it must `close`. */
  dismissed(): void;
}

export class StatusFeed {
  /** The first reader has come, or the last one has gone. */
  onWatched: ((isWatched: boolean) => void) | undefined;
  /** The same lines as in the ring of all processes. */
  readonly #ring = new LogRing();
  /** The oldest first. */
  readonly #readers = new Set<FeedReader>();
  /** The newest snapshot as text. */
  #status: string | undefined;
  /** Made of that, by the cursor of their readers. */
  readonly #events = new Map<number, FeedEvent>();

  /** Where there are too many, the oldest goes that does not read, else the oldest. */
  open(reader: FeedReader): void {
    if (this.#readers.size >= MAX_READERS) {
      const readers = [...this.#readers];
      (readers.find(({ isBehind }) => isBehind) ?? readers[0])?.dismissed();
    }
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.onWatched?.(true);
  }

  /** Harmless when repeated. */
  close(reader: FeedReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#status = undefined;
    this.#events.clear();
    this.onWatched?.(false);
  }

  /** @param reading what is new in the ring of all processes */
  publish(snapshot: ServiceSnapshot, reading: LogReading): void {
    // What was under way when the last reader went is of no use to the next.
    if (this.#readers.size === 0) return;
    this.#ring.replay(reading);
    this.#status = emitServiceStatus(serviceStatus(snapshot));
    this.#events.clear();
    for (const reader of this.#readers) reader.published();
  }

  /** The newest event for a reader; undefined before the first. @param cursor 0 for a new reader */
  read(cursor: number): FeedEvent | undefined {
    if (this.#status === undefined) return undefined;
    const known = this.#events.get(cursor);
    if (known) return known;
    const reading = this.#ring.read(cursor);
    const bytes = Buffer.from(`data: ${this.#status}${emitLogNews(reading)}\n\n`);
    const event = { bytes, cursor: reading.cursor };
    this.#events.set(cursor, event);
    return event;
  }
}
