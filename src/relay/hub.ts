/** The registry of open streams: a plan with the key of an open stream joins that stream. */
import { collectGarbageIn } from "../system/garbage.ts";
import type { Log } from "../system/log.ts";
import { Budget } from "./budget.ts";
import type { Consumer } from "./consumer.ts";
import type { Cursor } from "./cursor.ts";
import type { QueueStats, SourceStats } from "./stats.ts";
import { Stream, type StreamParent } from "./stream.ts";
import { Tick } from "./tick.ts";
import type { UpstreamPlan } from "./upstream.ts";

/** After the end of the last stream. Somebody who changes channels opens another one before that. */
const COLLECT_AFTER_MS = 2000;

/** A consumer's subscription to a stream, and what waits for it. */
export class Subscription implements QueueStats {
  readonly cursor: Cursor;
  readonly #stream: Stream;

  constructor(stream: Stream, cursor: Cursor) {
    this.#stream = stream;
    this.cursor = cursor;
  }

  /** Of the stream, which is the same for all who share it. */
  get source(): SourceStats {
    return this.#stream;
  }

  /** The consumer takes bytes again after `write` has taken fewer than offered. */
  drained(): void {
    this.#stream.drained(this.cursor);
  }

  /** The consumer has taken bytes while it was told that the source is paused. */
  resume(): void {
    this.#stream.wake();
  }

  /** The consumer is gone. Harmless when repeated. */
  close(): void {
    this.#stream.detach(this.cursor);
  }

  get queuedBytes(): number {
    return this.cursor.lag;
  }

  get limitBytes(): number {
    return this.#stream.limitOf(this.cursor);
  }

  get peakBytes(): number {
    return this.cursor.peakLag;
  }

  get droppedPackets(): number {
    return this.cursor.droppedPackets;
  }

  get droppedBytes(): number {
    return this.cursor.droppedBytes;
  }

  get backpressureEvents(): number {
    return this.#stream.gate.backpressureEvents;
  }

  get isSlow(): boolean {
    return this.cursor.slowDetector.isSlow(performance.now());
  }
}

interface HubOptions {
  /** Memory of all rings, in buffers of 1536 bytes (`-b`). */
  readonly bufferSlots: number;
  /** Newcomers begin at the last random access point. */
  readonly fastStart: boolean;
  readonly log: Log;
}

export class Hub implements StreamParent {
  readonly budget: Budget;
  readonly log: Log;
  readonly tick = new Tick();
  /** Newcomers begin at the last random access point. */
  fastStart: boolean;
  readonly #open = new Set<Stream>();
  readonly #shared = new Map<string, Stream>();
  readonly #keys = new WeakMap<Stream, string>();
  #cancelCollecting: (() => void) | undefined;

  constructor(options: HubOptions) {
    this.fastStart = options.fastStart;
    this.log = options.log;
    this.budget = new Budget(options.bufferSlots);
  }

  /** Upstreams that are open now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Joins a consumer to the stream of a plan, which is opened when nobody has it open. The consumer may be written to, or told
   * the end, before this returns.
   */
  join(plan: UpstreamPlan, consumer: Consumer): Subscription {
    const shared = plan.key === undefined ? undefined : this.#shared.get(plan.key);
    if (shared) return new Subscription(shared, shared.attach(consumer, this.fastStart));
    const stream = new Stream(plan, this);
    this.#open.add(stream);
    this.#cancelCollecting?.();
    if (plan.key !== undefined) {
      this.#shared.set(plan.key, stream);
      this.#keys.set(stream, plan.key);
    }
    const subscription = new Subscription(stream, stream.attach(consumer, false));
    stream.start(performance.now());
    if (stream.isOpen) this.tick.add(stream);
    return subscription;
  }

  /** Ends every stream; consumers get what they are owed. */
  close(): void {
    for (const stream of [...this.#open]) stream.ended(undefined);
  }

  wake(stream: Stream): void {
    this.tick.beat(stream);
  }

  closed(stream: Stream): void {
    this.#open.delete(stream);
    const key = this.#keys.get(stream);
    if (key !== undefined) this.#shared.delete(key);
    this.tick.remove(stream);
    // A pause harms nobody then: the rings' memory goes back to the system now, not at some later time.
    if (this.#open.size === 0)
      this.#cancelCollecting = collectGarbageIn(COLLECT_AFTER_MS, () => this.budget.dropSpareRing());
  }
}
