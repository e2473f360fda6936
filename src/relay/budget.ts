/** The memory budget of a worker's rings (`buffer-pool-max-size`). */
import type { Ring } from "./ring.ts";

/** The budget's unit: one buffer of the `-b` option, in bytes (flow-control.md section 2). */
export const SLOT_BYTES = 1536;

/** The shared memory as it is now, in bytes. */
export interface PoolState {
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** Streams that share it. Consumers of one stream read the same ring, so their number does not matter. */
  readonly streams: number;
}

export class Budget implements PoolState {
  readonly totalBytes: number;
  usedBytes = 0;
  streams = 0;
  /** How often memory was taken, refused and given back. */
  expansions = 0;
  exhaustions = 0;
  shrinks = 0;
  #spareRing: Ring | undefined;

  /** @param slots value of `-b`, 1 or more */
  constructor(slots: number) {
    this.totalBytes = slots * SLOT_BYTES;
  }

  get freeBytes(): number {
    return Math.max(0, this.totalBytes - this.usedBytes);
  }

  /**
   * Takes bytes unless that would pass the total; `forced` bytes, the least that an upstream needs, are always given.
   * Fewer than none are given back.
   */
  take(bytes: number, forced = false): boolean {
    if (!forced && bytes > 0 && this.usedBytes + bytes > this.totalBytes) {
      this.exhaustions++;
      return false;
    }
    if (bytes < 0) this.shrinks++;
    else this.expansions++;
    this.usedBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.usedBytes -= bytes;
    this.shrinks++;
  }

  /** The ring of a stream that is over, for the next one: a change of channel then costs no new memory. */
  keepSpareRing(ring: Ring): void {
    this.#spareRing = ring;
  }

  takeSpareRing(capacity: number): Ring | undefined {
    const ring = this.#spareRing;
    if (ring?.capacity !== capacity) return undefined;
    this.#spareRing = undefined;
    ring.reset();
    return ring;
  }

  dropSpareRing(): void {
    this.#spareRing = undefined;
  }
}
