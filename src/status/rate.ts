/** How fast a count of bytes grows, measured from time to time. */

/** A rate over less would say nothing. */
const LEAST_INTERVAL_MS = 250;

export class Rate {
  /** Bytes per second between the last two measurements; whole. */
  perSecond = 0;
  #bytes: number;
  #at: number;

  /** @param now in ms, of the moment when there were so many bytes */
  constructor(bytes: number, now: number) {
    this.#bytes = bytes;
    this.#at = now;
  }

  measure(bytes: number, now: number): void {
    const elapsed = now - this.#at;
    if (elapsed < LEAST_INTERVAL_MS) return;
    this.perSecond = Math.round(((bytes - this.#bytes) * 1000) / elapsed);
    this.#bytes = bytes;
    this.#at = now;
  }

  /** What was before does not count: nobody has measured for a while. */
  restart(bytes: number, now: number): void {
    this.perSecond = 0;
    this.#bytes = bytes;
    this.#at = now;
  }
}
