/** How soon a byte stream that is polled is to be read again. */

/** A turn that brought this much will be followed by another soon. */
const BUSY_BYTES = 128 * 1024;
const BUSY_MS = 4;
/** After one that brought less, it pays to let more gather: twice as long each time, up to here. */
const CALM_MS = 50;
/** When nothing has come for so long, the source is no longer asked: it tells, and the next bytes go out at once. */
const QUIET_MS = 100;

export class ReadBackoff {
  intervalMs = BUSY_MS;
  /** Before the first bytes every moment counts as quiet. */
  #heardAt = Number.NEGATIVE_INFINITY;

  /** The source has told that there is something to read. */
  reset(): void {
    this.intervalMs = BUSY_MS;
  }

  /**
   * Learns from a turn.
   * @param bytes that it has brought
   * @param window about what can be sent to us between two turns: one that brings half of it may have kept the sender waiting
   * @param most what it could have brought; less than usual counts as busy when it is all
   */
  observe(bytes: number, now: number, window: number, most = BUSY_BYTES): void {
    if (bytes > 0) this.#heardAt = now;
    const isBusy = bytes >= Math.min(BUSY_BYTES, most, window / 2);
    this.intervalMs = isBusy ? BUSY_MS : Math.min(CALM_MS, this.intervalMs * 2);
  }

  /** Whether it is time to wait for the source's word. */
  isQuiet(now: number): boolean {
    return now - this.#heardAt >= QUIET_MS;
  }
}
