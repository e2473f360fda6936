/** Keeps playback near the live edge by playing a little faster when it lags (status.md section 13). All in seconds. */

const MAX_LATENCY_S = 3;
const TARGET_LATENCY_S = 1.5;
const CATCH_UP_RATE = 1.2;
/** Each time the buffer runs dry at the edge, so much more latency is tolerated. */
const UNDERRUN_STEP_S = 1;
const MAX_TOLERANCE_S = 6;

export class LiveSync {
  #toleranceS = 0;
  #isCatchingUp = false;

  /** @returns the playback rate for this distance to the end of the buffer */
  rate(latencyS: number): number {
    if (latencyS > MAX_LATENCY_S + this.#toleranceS) this.#isCatchingUp = true;
    else if (latencyS <= TARGET_LATENCY_S + this.#toleranceS) this.#isCatchingUp = false;
    return this.#isCatchingUp ? CATCH_UP_RATE : 1;
  }

  underrun(): void {
    this.#toleranceS = Math.min(MAX_TOLERANCE_S, this.#toleranceS + UNDERRUN_STEP_S);
    this.#isCatchingUp = false;
  }

  /** Playback has been stable: the network is good again. */
  recovered(): void {
    this.#toleranceS = 0;
  }
}
