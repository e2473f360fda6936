/** Timers that fire when a test says so. */
import type { Schedule } from "../../src/playlist/retrying-job.ts";

interface Waiting {
  readonly callback: () => void;
  readonly delayMs: number;
}

export class ManualClock {
  #waiting: Waiting[] = [];

  readonly schedule: Schedule = (callback, delayMs) => {
    const timer = { callback, delayMs };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== timer);
    };
  };

  /** Delays of the timers that are set, in ms, the shortest first. */
  get waiting(): number[] {
    return this.#waiting.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b);
  }

  /** Fires the timer that is due first. */
  fire(): void {
    const timer = this.#waiting.toSorted((a, b) => a.delayMs - b.delayMs)[0];
    if (!timer) throw new Error("no timer is set");
    this.#waiting = this.#waiting.filter((each) => each !== timer);
    timer.callback();
  }
}
