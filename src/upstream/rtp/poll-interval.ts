/** How often a datagram socket must be read, so that its kernel buffer never fills between two readings. */
import { USUAL_TICK_MS } from "../../relay/tick.ts";

/** While a first picture is awaited. The first packets are collected for about as long anyway (`reorder.ts`). */
const STARTUP_TICK_MS = 5;
/** When the rate is so low that this brings no more than a usual write, which may be as old anyway. */
const CALM_TICK_MS = 45;
/** What one reading may then bring: about 130 KB of media. Three such intervals are the longest wait of `relay/write-policy.ts`. */
const CALM_DATAGRAMS = 100;
/** When the kernel's buffer is small for the rate. */
const QUICKEST_TICK_MS = 5;
/** When the rate is so high that a usual tick would bring more than a client's socket takes at once. */
const QUICK_TICK_MS = 10;
/** A little less than 10 ms still counts as room for 10 ms: ticks come a little early or late. */
const QUICK_ROOM_MS = 8;
/** What the kernel charges its buffer for a usual datagram: payload, and as much again for its own needs. */
const CHARGE_BYTES = 2304;
/** What one reading may bring: about 650 KB of media. */
const READING_DATAGRAMS = 500;
/** What may wait in the kernel's buffer: a quarter of it. */
const BUFFER_SHARE = 0.25;
/** A burst says that there may be another. */
const HOLD_MS = 2000;

export class PollInterval {
  #state: "startup" | "steady" = "startup";
  #tickMs = STARTUP_TICK_MS;
  readonly #startupUntil: number;
  /** How long a shorter interval is kept at least. */
  #until = Number.NEGATIVE_INFINITY;
  #observedAt: number;

  /** The start-up lasts `startupMs` from `openedAt` on, or until `endStartup`. */
  constructor(openedAt: number, startupMs: number) {
    this.#startupUntil = openedAt + startupMs;
    this.#observedAt = openedAt;
  }

  get tickMs(): number {
    return this.#tickMs;
  }

  /** The first picture is there. Harmless when repeated. */
  endStartup(): void {
    if (this.#state === "steady") return;
    this.#state = "steady";
    this.#tickMs = USUAL_TICK_MS;
  }

  /**
   * Adapts the interval to what one reading brought.
   * @param datagrams how many there were
   * @param receiveBuffer as the kernel counts it, in bytes; 0 while unknown
   */
  observe(datagrams: number, receiveBuffer: number, now: number): void {
    const elapsed = Math.max(1, now - this.#observedAt);
    this.#observedAt = now;
    if (this.#state === "startup") {
      if (now < this.#startupUntil) return;
      this.endStartup();
    }
    const bufferDatagrams = receiveBuffer > 0 ? (receiveBuffer * BUFFER_SHARE) / CHARGE_BYTES : READING_DATAGRAMS;
    const msPerDatagram = elapsed / Math.max(1, datagrams);
    // A reading without any says nothing of the rate: a group that is still to come is not kept waiting.
    if (datagrams === 0 && this.#tickMs >= USUAL_TICK_MS) return;
    const wanted = intervalFor(bufferDatagrams * msPerDatagram, msPerDatagram);
    if (wanted <= this.#tickMs) {
      this.#tickMs = wanted;
      if (wanted < CALM_TICK_MS) this.#until = now + HOLD_MS;
    } else if (now >= this.#until) this.#tickMs = wanted;
  }
}

/** @param bufferMs how long the kernel's buffer may fill */
function intervalFor(bufferMs: number, msPerDatagram: number): number {
  if (Math.min(bufferMs, CALM_DATAGRAMS * msPerDatagram) >= CALM_TICK_MS) return CALM_TICK_MS;
  const roomMs = Math.min(bufferMs, READING_DATAGRAMS * msPerDatagram);
  if (roomMs >= USUAL_TICK_MS) return USUAL_TICK_MS;
  return roomMs >= QUICK_ROOM_MS ? QUICK_TICK_MS : QUICKEST_TICK_MS;
}
