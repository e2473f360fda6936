/** How often a datagram socket must be read, so that its kernel buffer never fills between two readings. */
import { USUAL_TICK_MS } from "../../relay/tick.ts";

/** While a first picture is awaited. */
const EAGER_TICK_MS = 2;
/** When the kernel's buffer is small for the rate. */
const SMALL_BUFFER_TICK_MS = 5;
/** When the rate is so high that a usual beat would be more than a client's socket takes at once. */
const HIGH_RATE_TICK_MS = 10;
/** What the kernel charges its buffer for a usual datagram: payload, and as much again for its own needs. */
const CHARGE_BYTES = 2304;
/** About 500 KB of media. */
const HIGH_RATE_DATAGRAMS = 400;
/** A burst says that there may be another. */
const HOLD_MS = 2000;

export class ReadPace {
  #tickMs = EAGER_TICK_MS;
  #until = 0;

  /** @param openedAt the socket is read eagerly for `eagerMs` from then on, or until `settle` */
  constructor(openedAt: number, eagerMs: number) {
    this.#until = openedAt + eagerMs;
  }

  get tickMs(): number {
    return this.#tickMs;
  }

  /** The first picture is there. */
  settle(): void {
    if (this.#tickMs === EAGER_TICK_MS) this.#tickMs = USUAL_TICK_MS;
  }

  /**
   * Learns from a reading.
   * @param datagrams how many there were
   * @param receiveBuffer as the kernel counts it, in bytes; 0 while unknown
   */
  observe(datagrams: number, receiveBuffer: number, now: number): void {
    if (this.#tickMs === EAGER_TICK_MS) {
      if (now < this.#until) return;
      this.#tickMs = USUAL_TICK_MS;
    }
    if (datagrams * CHARGE_BYTES * 4 > receiveBuffer && receiveBuffer > 0) this.#hold(SMALL_BUFFER_TICK_MS, now);
    else if (datagrams >= HIGH_RATE_DATAGRAMS) this.#hold(HIGH_RATE_TICK_MS, now);
    else if (datagrams * 2 < HIGH_RATE_DATAGRAMS && now >= this.#until) this.#tickMs = USUAL_TICK_MS;
  }

  #hold(tickMs: number, now: number): void {
    this.#tickMs = Math.min(this.#tickMs, tickMs);
    this.#until = now + HOLD_MS;
  }
}
