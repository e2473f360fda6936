/** How large a ring is: what it begins with, when it grows and shrinks, and what the budget says to that. */
import type { Budget } from "./budget.ts";
import { Ring } from "./ring.ts";
import type { Overflow } from "./upstream.ts";

const STEP_BYTES = 64 * 1024;
/** Memory of a stream that nothing asks more of, and what is given even when the budget is used up. */
const USUAL_BYTES: Readonly<Record<Overflow, number>> = { skip: 1024 * 1024, pause: 512 * 1024 };
const LEAST_BYTES: Readonly<Record<Overflow, number>> = { skip: 256 * 1024, pause: 64 * 1024 };
/** The longest distance between random access points that a ring grows to hold. */
const MAX_RETAINED_BYTES = 8 * 1024 * 1024;
/** Every so often a ring that has grown is looked at; it shrinks when less would have done all the while. */
const SHRINK_EVERY_MS = 15_000;

export class RingMemory {
  readonly ring: Ring;
  readonly #budget: Budget;
  readonly #usualBytes: number;
  #isReleased = false;
  /** The most that had to be held since the last look, and what is to be held anyway. */
  #mostHeld = 0;
  #retain = 0;
  #lookedAt = 0;

  constructor(budget: Budget, overflow: Overflow) {
    this.#budget = budget;
    this.#usualBytes = USUAL_BYTES[overflow];
    const capacity = budget.take(this.#usualBytes) ? this.#usualBytes : LEAST_BYTES[overflow];
    if (capacity < this.#usualBytes) budget.take(capacity, true);
    budget.streams++;
    this.ring = budget.takeSpareRing(capacity) ?? new Ring(capacity);
  }

  /** Harmless when repeated. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#budget.giveBack(this.ring.capacity);
    this.#budget.streams--;
    this.#budget.keepSpareRing(this.ring);
  }

  /** Makes the ring up to twice as large, as far as a lag of `limit` bytes is served by that; false when it stays as it is. */
  grow(limit: number): boolean {
    const { capacity } = this.ring;
    const useful = limit + LEAST_BYTES.skip;
    return this.#enlarge(Math.min(capacity * 2, useful, capacity + this.#budget.freeBytes - STEP_BYTES));
  }

  /** Makes room for bytes that may not be lost, whatever the budget says; false once the memory is released. */
  growForced(bytes: number): boolean {
    return this.#resize(this.ring.capacity + bytes, true);
  }

  /** The source cannot be paused after all: the ring has at least what such a stream is given in any case. */
  cannotPause(): void {
    const missing = LEAST_BYTES.skip - this.ring.capacity;
    if (missing > 0) this.growForced(missing);
  }

  /** The ring is to hold so many bytes, whether anybody waits for them or not. */
  retain(bytes: number): void {
    this.#retain = Math.max(this.#retain, Math.ceil(bytes));
    if (this.#retain <= this.#mostRetained) this.#enlarge(this.#retain);
  }

  /** How many bytes had to be held. Now and then that makes the ring smaller. */
  held(bytes: number, now: number): void {
    if (bytes > this.#mostHeld) this.#mostHeld = bytes;
    if (now - this.#lookedAt < SHRINK_EVERY_MS) return;
    const wanted = Math.max(this.#usualBytes, this.#mostHeld * 2, Math.min(this.#retain, this.#mostRetained));
    if (wanted <= this.ring.capacity / 2) this.#resize(wanted, false);
    this.#mostHeld = 0;
    this.#retain = 0;
    this.#lookedAt = now;
  }

  /** Old pictures may never take so much of the budget that nothing is left for slow consumers. */
  get #mostRetained(): number {
    return Math.min(MAX_RETAINED_BYTES, this.#budget.totalBytes / 2);
  }

  #enlarge(wanted: number): boolean {
    return wanted > this.ring.capacity && this.#resize(wanted, false);
  }

  #resize(wanted: number, isForced: boolean): boolean {
    const capacity = Math.ceil(wanted / STEP_BYTES) * STEP_BYTES;
    const more = capacity - this.ring.capacity;
    if (this.#isReleased || more === 0 || !this.#budget.take(more, isForced)) return false;
    this.ring.resize(capacity);
    return true;
  }
}
