/** The high and low water marks that pause and resume a source (flow-control.md section 6). Pure: no I/O. */

const HIGH_MARK = 0.75;
const LOW_MARK = 0.5;

/** Whether a source may be read. */
export class Gate {
  /** Times that reading stopped because of a consumer (flow-control.md section 5). */
  backpressureEvents = 0;
  #isPaused = false;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** To be asked before every read. At the high mark it pauses; once paused it stays so until the low mark. */
  mayRead(queuedBytes: number, limitBytes: number): boolean {
    if (this.#isPaused) {
      if (queuedBytes > limitBytes * LOW_MARK) return false;
      this.#isPaused = false;
    } else if (queuedBytes >= limitBytes * HIGH_MARK) {
      this.#isPaused = true;
      this.backpressureEvents++;
      return false;
    }
    return true;
  }

  /** The source is gone: nothing is paused any more. */
  open(): void {
    this.#isPaused = false;
  }
}
