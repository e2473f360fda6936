/** A job that is tried again when it fails, after pauses that double (m3u.md section 3). */

/** Pauses before the retries, in s. */
const RETRY_PAUSES_S: readonly number[] = [2, 4, 8, 16, 32, 64, 128, 256];

/** Calls `callback` once after `delayMs`; the returned function cancels that. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** What a timer can hold: almost 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Does not keep the process alive. A delay that no timer can hold is shortened. */
export const scheduleTimeout: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS)).unref();
  return () => clearTimeout(timer);
};

export interface Retry {
  readonly inS: number;
  /** From 1 to `of`. */
  readonly number: number;
  readonly of: number;
}

interface JobParent {
  /** Does the job once. It must leave everything as it was when it fails, and also once `signal` is aborted. */
  attempt(signal: AbortSignal): Promise<void>;
  /** `retry` is undefined when nobody will try again before the next `start`. */
  failed(error: Error, retry: Retry | undefined): void;
}

type State = "idle" | "running" | "waiting" | "closed";

export class RetryingJob {
  readonly #parent: JobParent;
  readonly #schedule: Schedule;
  #state: State = "idle";
  #abort: AbortController | undefined;
  #cancelWait: (() => void) | undefined;

  constructor(parent: JobParent, schedule: Schedule) {
    this.#parent = parent;
    this.#schedule = schedule;
  }

  /**
   * Begins anew, whatever was going on.
   * @returns whether the first attempt succeeded; false too when it was broken off by another `start` or by `close`
   */
  start(): Promise<boolean> {
    return this.#attempt(0);
  }

  close(): void {
    this.#enter("closed");
  }

  async #attempt(retries: number): Promise<boolean> {
    if (this.#state === "closed") return false;
    this.#enter("running");
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await this.#parent.attempt(abort.signal);
      if (abort.signal.aborted) return false;
      this.#enter("idle");
      return true;
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(error instanceof Error ? error : new Error(String(error)), retries);
      return false;
    }
  }

  #failed(error: Error, retries: number): void {
    const inS = RETRY_PAUSES_S[retries];
    this.#enter(inS === undefined ? "idle" : "waiting");
    if (inS === undefined) {
      this.#parent.failed(error, undefined);
      return;
    }
    this.#cancelWait = this.#schedule(() => void this.#attempt(retries + 1), inS * 1000);
    this.#parent.failed(error, { inS, number: retries + 1, of: RETRY_PAUSES_S.length });
  }

  #enter(state: State): void {
    this.#state = state;
    this.#abort?.abort(new Error("Broken off"));
    this.#abort = undefined;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }
}

/**
 * For the log, behind the reason of a failure.
 * @param staleSince Unix time in ms
 * @param hasCopy whether something from before stays in use
 */
export function describeStale(staleSince: number, hasCopy: boolean): string {
  return hasCopy ? `; the last good copy stays in use, stale since ${new Date(staleSince).toISOString()}` : "";
}

/** For the log. */
export function describeRetry(retry: Retry | undefined): string {
  return retry
    ? `will retry in ${retry.inS} seconds (retry ${retry.number}/${retry.of})`
    : "will not retry before the next update";
}
