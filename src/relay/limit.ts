/** How much may wait for one consumer, and when it counts as slow (flow-control.md sections 3 and 4). Pure: no I/O. */
import { type PoolState, SLOT_BYTES } from "./budget.ts";

const SHARE_LEAST_SLOTS = 64;
const BURST_USUAL = 3;
const BURST_TIGHT = 1.5;
const BURST_NONE = 1;
const BURST_SLOW = 0.8;
const TIGHT_UTILISATION = 0.85;
const FULL_UTILISATION = 0.95;
const SCARCE_FREE_SLOTS = 128;
const RESERVED_SLOTS = 64;
/** Two reads of 16 KiB: a smaller limit could not hold one read and the rest of the last. */
const LEAST_LIMIT_BYTES = 32 * 1024;
/** However large the budget: live television that is many seconds old helps nobody. */
const MOST_LIMIT_BYTES = 3072 * SLOT_BYTES;
/** How long a consumer must lag to be slow, and must not lag to be so no more. */
const SLOW_AFTER_MS = 3000;
/** It lags when more than this part of its limit waits. */
const LAGGING = 0.5;

function burst({ totalBytes, usedBytes }: PoolState): number {
  const utilisation = usedBytes / totalBytes;
  if (totalBytes - usedBytes < SCARCE_FREE_SLOTS * SLOT_BYTES || utilisation >= FULL_UTILISATION) return BURST_NONE;
  return utilisation >= TIGHT_UTILISATION ? BURST_TIGHT : BURST_USUAL;
}

/** How many bytes, a whole number, may wait for one consumer. Computed anew for each decision; it changes nothing. */
export function consumerLimit(pool: PoolState, isSlow: boolean): number {
  const share = Math.max(SHARE_LEAST_SLOTS * SLOT_BYTES, pool.totalBytes / Math.max(1, pool.streams));
  const factor = isSlow ? Math.min(burst(pool), BURST_SLOW) : burst(pool);
  const reserved = RESERVED_SLOTS * SLOT_BYTES;
  const most = pool.totalBytes > 2 * reserved ? pool.totalBytes - reserved : pool.totalBytes / 2;
  return Math.floor(Math.max(LEAST_LIMIT_BYTES, Math.min(share * factor, most, MOST_LIMIT_BYTES)));
}

/** Marks a consumer as slow when it has lagged for a while. One that skips lags again and again, so its lag alone does not tell. */
export class SlowClientDetector {
  #since = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** To be called whenever bytes wait. `now` in ms. */
  sample(queuedBytes: number, limitBytes: number, now: number): void {
    if (queuedBytes <= limitBytes * LAGGING) return;
    if (now - this.#last > SLOW_AFTER_MS) this.#since = now;
    this.#last = now;
  }

  isSlow(now: number): boolean {
    return this.#last - this.#since > SLOW_AFTER_MS && now - this.#last <= SLOW_AFTER_MS;
  }
}
