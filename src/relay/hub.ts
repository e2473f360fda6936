/** The registry that lets every client of the same group share one upstream and one ring. */
import { collectGarbageIn } from "../system/garbage.ts";
import { Budget } from "./budget.ts";
import type { ClientSink, Cursor } from "./cursor.ts";
import { CursorQueueStats, type QueueStats, type SourceStats } from "./flow.ts";
import { Stream, type Upstream, type UpstreamParent } from "./stream.ts";
import { Tick } from "./tick.ts";

/** After the end of the last stream. */
const COLLECT_AFTER_MS = 100;

/** A client's place in a stream. */
export interface Subscription {
  readonly cursor: Cursor;
  readonly queue: QueueStats;
  /** Of the stream, which is the same for all who share it. */
  readonly flow: SourceStats;
  /** The client's socket has room again. */
  drained(): void;
  /** The client is gone. */
  close(): void;
}

export interface HubOptions {
  /** Memory of all rings, in buffers of 1536 bytes (`-b`). */
  readonly bufferSlots: number;
  /** Newcomers begin at the last random access point. */
  readonly fastStart: boolean;
}

export class Hub {
  readonly budget: Budget;
  readonly tick = new Tick();
  readonly #streams = new Map<string, Stream>();
  /** Newcomers begin at the last random access point. */
  fastStart: boolean;

  constructor(options: HubOptions) {
    this.fastStart = options.fastStart;
    this.budget = new Budget(options.bufferSlots);
  }

  /** Streams that are open now. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Joins a client to the stream of that key, which `open` opens when there is none. What `open` throws passes through.
   * `makeSink` is told the upstream, ours or the one that others share; its sink may be written to at once.
   */
  join(
    key: string,
    open: (parent: UpstreamParent) => Upstream,
    makeSink: (upstream: Upstream) => ClientSink,
  ): Subscription {
    const stream = this.#streams.get(key) ?? this.#open(key, open);
    let cursor: Cursor;
    try {
      cursor = stream.attach(makeSink, this.fastStart);
    } catch (error) {
      if (stream.cursors.length === 0) stream.close();
      throw error;
    }
    const queue = new CursorQueueStats(cursor, this.budget);
    return { cursor, queue, flow: stream, drained: () => stream.drained(cursor), close: () => stream.detach(cursor) };
  }

  #open(key: string, open: (parent: UpstreamParent) => Upstream): Stream {
    const stream = new Stream(this.budget);
    stream.start(open);
    this.#streams.set(key, stream);
    stream.onClosed = () => {
      this.#streams.delete(key);
      this.tick.remove(stream);
      // A pause harms nobody then: the rings' memory goes back to the system now, not at some later time.
      if (this.#streams.size === 0) collectGarbageIn(COLLECT_AFTER_MS);
    };
    this.tick.add(stream);
    return stream;
  }

  /** Ends every stream; clients get what they are owed. */
  close(): void {
    for (const stream of [...this.#streams.values()]) stream.ended(undefined);
  }
}
