/** Whether a client of a datagram stream is slow. It skips again and again, so its lag alone does not tell (flow-control.md section 4). */

/** So long it must lag to be slow, and so long it must not lag to be so no more. */
const SLOW_AFTER_MS = 3000;

export class LagMark {
  #since = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** The client lags by more than half of what it may. `now` in ms. */
  lags(now: number): void {
    if (now - this.#last > SLOW_AFTER_MS) this.#since = now;
    this.#last = now;
  }

  isSlow(now: number): boolean {
    return this.#last - this.#since > SLOW_AFTER_MS && now - this.#last <= SLOW_AFTER_MS;
  }
}
