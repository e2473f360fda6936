/** One open upstream: its ring, the cursors of its clients, and the rules when a cursor writes and when it must skip. */
import type { Memory } from "../system/memory.ts";
import type { Budget } from "./budget.ts";
import { type ClientSink, Cursor } from "./cursor.ts";
import { type ByteInspector, type SourceStats, Tap } from "./flow.ts";
import { Ring } from "./ring.ts";
import { USUAL_TICK_MS } from "./tick.ts";

/** What is known of an upstream; members are absent while unknown. */
export interface StreamInfo {
  readonly protocol: "multicast" | "rtsp" | "http";
  readonly payload?: "mp2t-rtp" | "mp2t-direct";
}

/** A protocol's session. It reads when asked to and hands media to its parent. */
export interface Upstream {
  /** Reads what has arrived. `now` in ms. Must not throw. */
  tick(now: number): void;
  /** Releases every socket and timer. Called once. */
  close(): void;
  /** How soon it wants to read again, in ms. */
  readonly tickMs: number;
  readonly info: StreamInfo;
}

/** What an upstream sees of the stream that it feeds. */
export interface UpstreamParent {
  /** Adds one unit (a whole datagram payload). */
  append(from: Memory, offset: number, length: number): void;
  /** A decoder can begin `within` bytes after the start of the next unit, after `preamble`. */
  markRandomAccess(within: number, preamble: Uint8Array): void;
  /** The upstream is over; `cause` unless it ended as it should. */
  ended(cause: Error | undefined): void;
}

/** Afterwards a cursor writes when this much waits … */
const WRITE_BYTES = 64 * 1024;
/** … or when its oldest byte may be this old. */
const WRITE_AGE_MS = 50;
/** The timer may fire a little early or late; without this a write would wait for one more tick. */
const TICK_JITTER_MS = 3;
/** A client that skips goes to a place at most this part of its limit behind the head, or it would soon skip again. */
const SKIP_TO = 0.75;
/** Memory of a stream that nothing asks more of; given even when the budget is used up. */
const LEAST_RING_BYTES = 256 * 1024;
const RING_STEP_BYTES = 64 * 1024;
const USUAL_RING_BYTES = 1024 * 1024;
/** The longest distance between random access points that a ring grows to hold. */
const MAX_RETAINED_BYTES = 8 * 1024 * 1024;
/** Every so often a ring that has grown is looked at; it shrinks when less would have done all the while. */
const SHRINK_EVERY_MS = 15_000;

export class Stream implements UpstreamParent, SourceStats {
  readonly ring: Ring;
  readonly cursors: Cursor[] = [];
  hasEnded = false;
  heardAt = Number.NEGATIVE_INFINITY;
  #isReleased = false;
  onClosed: (() => void) | undefined;
  readonly #budget: Budget;
  #upstream: Upstream | undefined;
  /** The head may grow to here before a cursor that has not moved since is overrun. */
  #headLimit: number;
  #now = 0;
  #inspection: Tap | undefined;
  #cause: Error | undefined;
  /** The most that had to be held since the last look, and the distance of the last two random access points. */
  #mostHeld = 0;
  #retain = 0;
  #lookedAt = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
    const capacity = budget.take(USUAL_RING_BYTES) ? USUAL_RING_BYTES : LEAST_RING_BYTES;
    if (capacity === LEAST_RING_BYTES) budget.take(capacity, true);
    budget.streams++;
    this.ring = new Ring(capacity);
    this.#headLimit = capacity;
  }

  /** Opens the upstream; what `open` throws passes through, and the stream is then closed. */
  start(open: (parent: UpstreamParent) => Upstream): void {
    try {
      const upstream = open(this);
      if (this.hasEnded) {
        upstream.close();
        throw this.#cause ?? new Error("the upstream ended as it was opened");
      }
      this.#upstream = upstream;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get tickMs(): number {
    return this.#upstream?.tickMs ?? USUAL_TICK_MS;
  }

  get receivedBytes(): number {
    return this.ring.head;
  }

  inspect(inspector: ByteInspector | undefined): void {
    this.#inspection = inspector && new Tap(this.ring, inspector);
  }

  /**
   * Adds a client. With `fastStart` it begins at the last random access point that the ring holds, else at the
   * next unit.
   */
  attach(makeSink: (upstream: Upstream) => ClientSink, fastStart: boolean): Cursor {
    const upstream = this.#upstream;
    if (!upstream) throw new Error("a stream that has ended takes no clients");
    const sink = makeSink(upstream);
    const point = this.ring.randomAccess;
    const usable =
      fastStart &&
      point !== undefined &&
      this.ring.holds(point.position) &&
      this.ring.head - point.position <= this.#budget.lagLimit();
    const cursor = new Cursor(this.ring, sink, usable ? point : { position: this.ring.head });
    this.cursors.push(cursor);
    this.#updateHeadLimit();
    this.#write(cursor);
    return cursor;
  }

  /** Removes a client; the last one closes the upstream. Harmless when it is gone already. */
  detach(cursor: Cursor): void {
    const at = this.cursors.indexOf(cursor);
    if (at < 0) return;
    cursor.isOver = true;
    this.cursors.splice(at, 1);
    if (this.cursors.length === 0) this.close();
  }

  /** The client's socket has room again. */
  drained(cursor: Cursor): void {
    cursor.blocked = false;
    this.#write(cursor);
  }

  tick(now: number): void {
    this.#now = now;
    const before = this.ring.head;
    this.#upstream?.tick(now);
    if (this.ring.head !== before) this.heardAt = now;
    this.#inspection?.catchUp();
    this.#flush(now);
    if (now - this.#lookedAt >= SHRINK_EVERY_MS) this.#considerSize(now);
  }

  append(from: Memory, offset: number, length: number): void {
    if (this.ring.head + length > this.#headLimit) this.#makeRoom(length);
    this.ring.append(from, offset, length);
  }

  markRandomAccess(within: number, preamble: Uint8Array): void {
    const previous = this.ring.randomAccess?.position;
    this.ring.markRandomAccess(within, preamble);
    if (previous === undefined) return;
    this.#retain = Math.max(this.#retain, Math.ceil((this.ring.head + within - previous) * 1.5));
    if (this.#retain > this.ring.capacity && this.#retain <= this.#mostRetained()) this.#resize(this.#retain);
  }

  /** Old pictures may never take so much of the budget that nothing is left for slow clients. */
  #mostRetained(): number {
    return Math.min(MAX_RETAINED_BYTES, this.#budget.totalBytes / 2);
  }

  ended(cause: Error | undefined): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#cause = cause;
    this.#closeUpstream();
    this.onClosed?.();
    for (const cursor of [...this.cursors]) this.#write(cursor);
  }

  /** Releases the upstream and the memory. */
  close(): void {
    if (this.#isReleased) return;
    const wasOpen = !this.hasEnded;
    this.hasEnded = true;
    this.#isReleased = true;
    this.#closeUpstream();
    this.#budget.giveBack(this.ring.capacity);
    this.#budget.streams--;
    if (wasOpen) this.onClosed?.();
  }

  #closeUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.close();
  }

  #write(cursor: Cursor): void {
    if (cursor.isOver) return;
    cursor.write(this.#now);
    if (!this.hasEnded || !cursor.isEmpty || cursor.isOver) return;
    cursor.isOver = true;
    cursor.sink.end(this.#cause);
  }

  /** Lets every cursor that is due write; one that may lag no further skips. */
  #flush(now: number): void {
    const { cursors, ring } = this;
    const limit = this.#budget.lagLimit();
    let slowest = ring.head;
    for (let i = cursors.length - 1; i >= 0; i--) {
      const cursor = cursors[i];
      // A client that finds itself closed while it is written to may have left, and others with it.
      if (!cursor) continue;
      const lag = ring.head - cursor.position;
      if (lag > cursor.peakLag) cursor.peakLag = lag;
      if (cursor.blocked) {
        if (lag > limit / 2) cursor.lagMark.lags(now);
        if (lag > limit) cursor.skip(limit * SKIP_TO);
      } else if (lag >= WRITE_BYTES || (lag > 0 && now - cursor.emptiedAt >= WRITE_AGE_MS - TICK_JITTER_MS)) {
        cursor.write(now);
      }
      if (cursor.position < slowest) slowest = cursor.position;
    }
    this.#headLimit = slowest + ring.capacity;
    this.#mostHeld = Math.max(this.#mostHeld, ring.head - slowest);
  }

  #updateHeadLimit(): void {
    let slowest = this.ring.head;
    for (const cursor of this.cursors) if (cursor.position < slowest) slowest = cursor.position;
    this.#headLimit = slowest + this.ring.capacity;
  }

  /** The next unit would overwrite bytes that a client still needs: let clients write, then grow, then make the slow ones skip. */
  #makeRoom(length: number): void {
    this.#flush(this.#now);
    while (this.ring.head + length > this.#headLimit && this.#grow()) this.#updateHeadLimit();
    if (this.ring.head + length <= this.#headLimit) return;
    for (const cursor of this.cursors) {
      if (cursor.position + this.ring.capacity < this.ring.head + length) cursor.skip(this.ring.capacity * SKIP_TO);
    }
    this.#updateHeadLimit();
  }

  #grow(): boolean {
    const { capacity } = this.ring;
    const useful = this.#budget.lagLimit() + LEAST_RING_BYTES;
    const wanted = ringSize(Math.min(capacity * 2, useful, capacity + this.#budget.freeBytes - RING_STEP_BYTES));
    return wanted > capacity && this.#resize(wanted);
  }

  /** False when the budget has no more. */
  #resize(wanted: number): boolean {
    const capacity = ringSize(wanted);
    // An upstream that is closed within its own tick may still hand over what it has read.
    if (this.#isReleased || !this.#budget.take(capacity - this.ring.capacity)) return false;
    this.ring.resize(capacity);
    this.#updateHeadLimit();
    return true;
  }

  #considerSize(now: number): void {
    const wanted = Math.max(USUAL_RING_BYTES, this.#mostHeld * 2, Math.min(this.#retain, this.#mostRetained()));
    if (wanted <= this.ring.capacity / 2) this.#resize(wanted);
    this.#mostHeld = 0;
    this.#retain = 0;
    this.#lookedAt = now;
  }
}

/** The next size that a ring can have. */
function ringSize(bytes: number): number {
  return Math.ceil(bytes / RING_STEP_BYTES) * RING_STEP_BYTES;
}
