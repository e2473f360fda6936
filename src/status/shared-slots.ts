/** The client slots of the service, in memory that all workers share (`-m`, http.md section 14). */

/** One counter for all workers, and one for each so that a dead worker's slots are known. */
export class SharedSlots {
  readonly #counters: Int32Array;
  readonly #worker: number;

  /**
   * @param counters shared by all workers, `SharedSlots.size(workers)` of them; by default this worker's alone
   * @param worker 0 or more
   */
  constructor(counters: Int32Array = new Int32Array(SharedSlots.size(1)), worker = 0) {
    this.#counters = counters;
    this.#worker = worker;
  }

  /** How many counters that many workers need. */
  static size(workers: number): number {
    return 1 + workers;
  }

  /** Taken by all workers. */
  get taken(): number {
    return Atomics.load(this.#counters, 0);
  }

  /** Takes a slot unless `limit` are taken. Exact, however many workers ask at the same time. */
  take(limit: number): boolean {
    for (let taken = this.taken; taken < limit; ) {
      const before = Atomics.compareExchange(this.#counters, 0, taken, taken + 1);
      if (before === taken) {
        Atomics.add(this.#counters, 1 + this.#worker, 1);
        return true;
      }
      taken = before;
    }
    return false;
  }

  giveBack(): void {
    Atomics.sub(this.#counters, 1 + this.#worker, 1);
    Atomics.sub(this.#counters, 0, 1);
  }

  /** Gives back all slots of this worker, which has died; returns how many there were. */
  reclaim(): number {
    const count = Atomics.exchange(this.#counters, 1 + this.#worker, 0);
    Atomics.sub(this.#counters, 0, count);
    return count;
  }
}
