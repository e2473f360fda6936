/** How far a source may be read, and the reading: it is paused for a consumer that is alone and too slow (flow-control.md section 6). */
import type { Memory } from "../system/memory.ts";
import { SLICE_MS } from "../system/slices.ts";
import type { Cursor } from "./cursor.ts";
import { type FanOut, SKIP_TO } from "./fan-out.ts";
import { Gate } from "./gate.ts";
import type { Ring } from "./ring.ts";

/** Byte streams are read in turns of so much, and of a slice of time, so that one fast upstream does not keep the others waiting. */
const TURN_BYTES = 1024 * 1024;

export interface SourceReaderParent {
  readonly ring: Ring;
  readonly isOpen: boolean;
  /** Whether bytes may be lost because a consumer is too slow: then nothing is ever paused. */
  readonly mayLose: boolean;
  /** Ms on the clock of ticks. */
  readonly now: number;
  limitOf(cursor: Cursor): number;
  /** Something was read, which the next readings may overwrite. */
  grown(): void;
  wake(): void;
}

export class SourceReader {
  readonly gate = new Gate();
  readonly #parent: SourceReaderParent;
  readonly #fanOut: FanOut;
  #continuation: NodeJS.Immediate | undefined;

  constructor(parent: SourceReaderParent, fanOut: FanOut) {
    this.#parent = parent;
    this.#fanOut = fanOut;
  }

  /** As `UpstreamParent.room`. */
  get room(): number {
    const { ring, isOpen, mayLose, now } = this.#parent;
    const [cursor] = this.#fanOut.cursors;
    if (!isOpen || !cursor) return 0;
    // More at once would overrun those who have just skipped.
    if (mayLose) return ring.capacity * (1 - SKIP_TO);
    cursor.slowDetector.sample(cursor.lag, this.#parent.limitOf(cursor), now);
    const limit = this.#parent.limitOf(cursor);
    // What waits only to become a larger write is no reason to pause.
    if (cursor.lag > limit / 2) this.#fanOut.write(cursor, now);
    const { lag } = cursor;
    const wasPaused = this.gate.isPaused;
    const mayRead = this.gate.mayRead(lag, limit);
    if (wasPaused !== this.gate.isPaused) this.#tellPaused(cursor);
    return mayRead ? limit - lag : 0;
  }

  /** As `UpstreamParent.fill`. */
  fill(read: (into: Memory, offset: number, length: number) => number): number {
    const { ring } = this.#parent;
    const endsAt = performance.now() + SLICE_MS;
    let isOver = false;
    let turn = 0;
    let count = 0;
    while (!isOver) {
      const { room } = this;
      if (room <= 0) break;
      if (!this.#fanOut.hasRoom(room)) this.#fanOut.makeRoom(room, this.#parent.now);
      // That may have made another ring of it.
      count = read(ring.memory, ring.headOffset, Math.min(room, ring.capacity - ring.headOffset));
      if (count <= 0) break;
      ring.advance(count);
      this.#parent.grown();
      turn += count;
      // What comes slowly goes out at once; what comes quickly makes room for the next read.
      this.#fanOut.writeAll(this.#parent.now);
      isOver = turn >= TURN_BYTES || performance.now() >= endsAt;
    }
    if (isOver) this.#continueSoon();
    return count < 0 ? -1 : turn;
  }

  /** Nobody is waited for any more. */
  openGate(): void {
    if (!this.gate.isPaused) return;
    this.gate.open();
    // It has waited for a consumer that was alone: one that has joined since stands behind it.
    const [cursor] = this.#fanOut.cursors;
    if (cursor) this.#tellPaused(cursor);
  }

  /** The source is gone. */
  close(): void {
    clearImmediate(this.#continuation);
  }

  #continueSoon(): void {
    clearImmediate(this.#continuation);
    this.#continuation = setImmediate(() => this.#parent.wake());
  }

  #tellPaused(cursor: Cursor): void {
    this.#fanOut.guard(cursor, () => cursor.consumer.paused?.(this.gate.isPaused));
  }
}
