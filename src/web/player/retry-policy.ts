/** What follows a failed playback: another try, another source, or giving up (status.md section 13). */

const MAX_RETRIES = 3;
/** Decoders stumble over damaged pictures: that costs no retry, but cannot go on for ever either. */
const MAX_DECODE_FAILURES = 5;
/** How long playback must run for all tries to be there again. */
export const STABLE_AFTER_MS = 30_000;
const FIRST_DELAY_MS = 500;

type NextStep = { readonly action: "retry"; readonly delayMs: number } | { readonly action: "next-source" | "give-up" };

export class RetryPolicy {
  #retries = 0;
  #decodeFailures = 0;
  #failedSources = new Set<number>();

  /** Since playback last was stable; what the loading indicator shows. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * @param sources how many the channel has that could play this
   */
  afterFailure(source: number, sources: number, isDecodeFailure: boolean): NextStep {
    if (isDecodeFailure && ++this.#decodeFailures <= MAX_DECODE_FAILURES) return { action: "retry", delayMs: 0 };
    if (!isDecodeFailure && this.#retries < MAX_RETRIES) {
      return { action: "retry", delayMs: FIRST_DELAY_MS * 2 ** this.#retries++ };
    }
    this.#failedSources.add(source);
    this.#retries = 0;
    this.#decodeFailures = 0;
    return { action: this.#failedSources.size < sources ? "next-source" : "give-up" };
  }

  /** Playback ran for `STABLE_AFTER_MS`, or somebody chose anew. */
  reset(): void {
    this.#retries = 0;
    this.#decodeFailures = 0;
    this.#failedSources.clear();
  }
}
