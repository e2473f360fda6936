/** The high and low water marks that pause and resume a byte-stream upstream (flow-control.md sections 3 to 6). Pure: no I/O. */
import { SLOT_BYTES } from "./budget.ts";

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
export const LEAST_LIMIT_BYTES = 32 * 1024;
const SLOW_AFTER_MS = 3000;
const HIGH_MARK = 0.75;
const LOW_MARK = 0.5;

/** The shared memory as it is now, in bytes. */
export interface PoolState {
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** Clients that share it, at least 1. */
  readonly clients: number;
}

/** A client's even share of the pool, in bytes. */
function share({ totalBytes, clients }: PoolState): number {
  return Math.max(SHARE_LEAST_SLOTS * SLOT_BYTES, Math.floor(totalBytes / Math.max(1, clients)));
}

function burst({ totalBytes, usedBytes }: PoolState): number {
  const utilisation = usedBytes / totalBytes;
  if (totalBytes - usedBytes < SCARCE_FREE_SLOTS * SLOT_BYTES || utilisation >= FULL_UTILISATION) return BURST_NONE;
  return utilisation >= TIGHT_UTILISATION ? BURST_TIGHT : BURST_USUAL;
}

/** How many bytes may wait for one client (section 3). Computed anew for each decision; it changes nothing. */
export function clientLimit(pool: PoolState, isSlow: boolean): number {
  const factor = isSlow ? Math.min(burst(pool), BURST_SLOW) : burst(pool);
  const reserved = RESERVED_SLOTS * SLOT_BYTES;
  const most = pool.totalBytes > 2 * reserved ? pool.totalBytes - reserved : pool.totalBytes / 2;
  return Math.max(LEAST_LIMIT_BYTES, Math.min(share(pool) * factor, most));
}

/** Whether and how far an upstream may be read. */
export class Gate {
  /** Times that reading stopped because of the client (section 5). */
  backpressureEvents = 0;
  #isPaused = false;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** To be asked before every read. At the high mark it pauses; once paused it stays so until the low mark. */
  mayRead(queuedBytes: number, limitBytes: number): boolean {
    if (this.#isPaused) return this.#resumeAt(queuedBytes, limitBytes);
    if (queuedBytes < limitBytes * HIGH_MARK) return true;
    this.#isPaused = true;
    this.backpressureEvents++;
    return false;
  }

  #resumeAt(queuedBytes: number, limitBytes: number): boolean {
    if (queuedBytes > limitBytes * LOW_MARK) return false;
    this.#isPaused = false;
    return true;
  }

  /** The upstream is gone: nothing is paused any more. */
  open(): void {
    this.#isPaused = false;
  }
}

/** UnitIndex a client as slow when it has lagged for a while (section 4). */
export class SlowMark {
  isSlow = false;
  #average = 0;
  #since: number | undefined;

  /** To be called whenever bytes were queued. `now` in ms. True when the mark has changed. */
  sample(queuedBytes: number, pool: PoolState, now: number): boolean {
    this.#average = this.#average <= 0 ? queuedBytes : 0.8 * this.#average + 0.2 * queuedBytes;
    const full = clientLimit(pool, false);
    const enter = Math.min(1.5 * share(pool), 0.9 * full);
    const usualLeave = Math.min(1.1 * share(pool), 0.75 * full);
    const leave = usualLeave >= enter ? 0.75 * enter : usualLeave;
    this.#since = this.#average <= enter ? undefined : (this.#since ?? now);
    const wasSlow = this.isSlow;
    if (this.#since !== undefined && now - this.#since > SLOW_AFTER_MS) this.isSlow = true;
    if (this.#average < leave) this.isSlow = false;
    return this.isSlow !== wasSlow;
  }
}
