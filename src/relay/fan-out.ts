/** The cursors of a stream: lets each write when it is due, makes room in the ring, and makes those skip that are too slow. */
import type { Cursor } from "./cursor.ts";
import type { Ring } from "./ring.ts";
import type { RingMemory } from "./ring-memory.ts";
import type { StreamInfo } from "./upstream.ts";
import { isWriteDue, writeAgeMs } from "./write-policy.ts";

/** A consumer that skips goes to a place at most this part of its limit behind the head, or it would soon skip again. */
export const SKIP_TO = 0.75;

export interface FanOutParent {
  /** For a consumer that begins; undefined before the upstream is open. */
  infoFor(cursor: Cursor): StreamInfo | undefined;
  /** Bytes that may wait for a consumer. */
  limitOf(cursor: Cursor): number;
  /** Whether bytes may be lost because a consumer is too slow. */
  readonly mayLose: boolean;
  /** A consumer has thrown. It is over. */
  consumerFailed(cursor: Cursor, error: unknown): void;
}

export class FanOut {
  readonly cursors: Cursor[] = [];
  readonly #memory: RingMemory;
  readonly #ring: Ring;
  readonly #parent: FanOutParent;
  /** The head may grow to here before a cursor that has not moved since is overrun. */
  #headLimit: number;
  #hasEnded = false;
  #cause: Error | undefined;

  constructor(memory: RingMemory, parent: FanOutParent) {
    this.#memory = memory;
    this.#ring = memory.ring;
    this.#parent = parent;
    this.#headLimit = this.#ring.capacity;
  }

  add(cursor: Cursor, now: number): void {
    this.cursors.push(cursor);
    this.ringChanged();
    this.write(cursor, now);
  }

  /** False when it is gone already. */
  remove(cursor: Cursor): boolean {
    cursor.isOver = true;
    const at = this.cursors.indexOf(cursor);
    if (at >= 0) this.cursors.splice(at, 1);
    return at >= 0;
  }

  /** Does something with a consumer. If that throws, the consumer is over, and nobody else is. */
  guard(cursor: Cursor, action: (cursor: Cursor) => void): void {
    try {
      if (!cursor.isOver) action(cursor);
    } catch (error) {
      this.#fail(cursor, error);
    }
  }

  /** Tells a consumer that bytes may come, once. */
  open(cursor: Cursor): void {
    const info = cursor.isOpened ? undefined : this.#parent.infoFor(cursor);
    if (!info) return;
    cursor.isOpened = true;
    cursor.consumer.opened?.(info);
  }

  /** Writes what waits for one consumer, as far as it takes it; tells it the end behind the last byte. */
  write(cursor: Cursor, now: number): void {
    if (cursor.isOver) return;
    try {
      if (!cursor.isOpened && !cursor.isEmpty) this.open(cursor);
      if (cursor.isOpened) cursor.write(now);
      // What has come before `info` was there is of no use to anybody.
      const isOwed = cursor.isOpened && !cursor.isEmpty;
      if (!this.#hasEnded || isOwed || cursor.isOver) return;
      cursor.isOver = true;
      cursor.consumer.end(this.#cause);
    } catch (error) {
      this.#fail(cursor, error);
    }
  }

  writeAll(now: number): void {
    for (let i = this.cursors.length - 1; i >= 0; i--) {
      const cursor = this.cursors[i];
      // A consumer that finds itself closed while it is written to may have left, and others with it.
      if (!cursor) continue;
      const { lag } = cursor;
      if (lag > cursor.peakLag) cursor.peakLag = lag;
      if (!cursor.blocked) this.write(cursor, now);
    }
    this.ringChanged();
  }

  /** There will be no more bytes: all consumers get what they are owed, and are told. */
  end(cause: Error | undefined, now: number): void {
    this.#hasEnded = true;
    this.#cause = cause;
    this.writeAll(now);
  }

  /** Lets every cursor that is due write; one that may lag no further skips. */
  flush(now: number): void {
    const { cursors } = this;
    const ring = this.#ring;
    const mostMs = writeAgeMs(cursors.length);
    let slowest = ring.head;
    for (let i = cursors.length - 1; i >= 0; i--) {
      const cursor = cursors[i];
      if (!cursor) continue;
      const lag = ring.head - cursor.position;
      if (lag > cursor.peakLag) cursor.peakLag = lag;
      if (cursor.blocked) this.#blocked(cursor, lag, now);
      else if (isWriteDue(lag, now - cursor.emptiedAt, mostMs)) this.write(cursor, now);
      if (cursor.position < slowest) slowest = cursor.position;
    }
    this.#headLimit = slowest + ring.capacity;
    this.#memory.held(ring.head - slowest, now);
    if (this.#headLimit !== slowest + ring.capacity) this.ringChanged();
  }

  #blocked(cursor: Cursor, lag: number, now: number): void {
    const limit = this.#parent.limitOf(cursor);
    cursor.slowDetector.sample(lag, limit, now);
    if (lag > limit && this.#parent.mayLose) this.guard(cursor, () => cursor.skip(limit * SKIP_TO));
  }

  /** Whether that many bytes can be added without a loss. */
  hasRoom(length: number): boolean {
    return this.#ring.head + length <= this.#headLimit;
  }

  /** The next bytes would overwrite some that a consumer still needs: let consumers write, then grow, then make the slow ones skip. */
  makeRoom(length: number, now: number): void {
    this.flush(now);
    // In a small ring nothing may be due yet that is in the way already.
    if (!this.hasRoom(length)) this.writeAll(now);
    while (!this.hasRoom(length) && this.#grow(length)) this.ringChanged();
    if (this.hasRoom(length)) return;
    const { capacity, head } = this.#ring;
    const most = Math.min(capacity * SKIP_TO, capacity - length);
    for (const cursor of [...this.cursors]) {
      if (cursor.position + capacity < head + length) this.guard(cursor, () => cursor.skip(most));
    }
    this.ringChanged();
  }

  #grow(length: number): boolean {
    if (!this.#parent.mayLose) return this.#memory.growForced(length);
    const [cursor] = this.cursors;
    return cursor !== undefined && this.#memory.grow(this.#parent.limitOf(cursor));
  }

  /** The ring has another size, or cursors have moved. */
  ringChanged(): void {
    let slowest = this.#ring.head;
    for (const cursor of this.cursors) if (cursor.position < slowest) slowest = cursor.position;
    this.#headLimit = slowest + this.#ring.capacity;
  }

  #fail(cursor: Cursor, error: unknown): void {
    const wasOver = cursor.isOver;
    cursor.isOver = true;
    this.#parent.consumerFailed(cursor, error);
    if (wasOver) return;
    try {
      cursor.consumer.end(error as Error);
    } catch {
      // It has been reported, and is gone.
    }
  }
}
