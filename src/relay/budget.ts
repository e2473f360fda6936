/** The memory budget of a worker's rings (`buffer-pool-max-size`) and what it allows one client. */

/** The budget's unit: one buffer of the `-b` option, in bytes (flow-control.md section 2). */
export const SLOT_BYTES = 1536;
/** No client may lag further than this, however large the budget: live television that is many seconds old helps nobody. */
const MAX_LAG_BYTES = 3072 * SLOT_BYTES;
const MIN_LAG_BYTES = 64 * SLOT_BYTES;

export class Budget {
  readonly totalBytes: number;
  usedBytes = 0;
  /** Streams that share the budget now. */
  streams = 0;
  /** Clients of byte-stream upstreams that share the budget now. */
  pipes = 0;
  /** How often memory was taken, refused and given back. */
  expansions = 0;
  exhaustions = 0;
  shrinks = 0;

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

  /**
   * How far a client of a datagram stream may lag, in bytes: the stream's share of the budget, between 96 KiB and
   * 4.5 MiB. Clients of one stream read the same ring, so their number does not matter.
   */
  lagLimit(): number {
    const share = Math.floor(this.totalBytes / Math.max(1, this.streams));
    return Math.min(MAX_LAG_BYTES, Math.max(MIN_LAG_BYTES, share));
  }
}
