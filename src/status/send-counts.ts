/** What a worker has sent to media clients, counted with every write to a socket. */
import type { SendMeter } from "../http/connection.ts";

/** From this size on it was the size that made a client's cursor write (`relay/stream.ts`). */
const FULL_WRITE_BYTES = 64 * 1024;

export class SendCounts implements SendMeter {
  /** Calls, those of them that were not taken whole, and those because much was waiting; of this process. */
  total = 0;
  eagain = 0;
  batch = 0;
  readonly #totals: Float64Array;
  readonly #worker: number;

  /**
   * @param totals bytes sent by each worker, in memory that outlives this process and that only this one writes at `worker`
   * @param worker 0 or more
   */
  constructor(totals: Float64Array = new Float64Array(1), worker = 0) {
    this.#totals = totals;
    this.#worker = worker;
  }

  sent(offered: number, taken: number): void {
    this.total++;
    if (taken < offered) this.eagain++;
    if (offered >= FULL_WRITE_BYTES) this.batch++;
    this.#totals[this.#worker]! += taken;
  }
}
