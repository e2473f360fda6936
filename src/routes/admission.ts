/** The limit on media clients (`-m`, http.md section 14), which holds for all workers together. */

/** The places of a program: one counter for all, and one for each worker so that a dead worker's places are known. */
export class Places {
  readonly #counters: Int32Array;
  readonly #worker: number;

  /**
   * @param counters shared by all workers, `Places.size(workers)` of them; by default this worker's alone
   * @param worker 0 or more
   */
  constructor(counters: Int32Array = new Int32Array(Places.size(1)), worker = 0) {
    this.#counters = counters;
    this.#worker = worker;
  }

  /** How many counters so many workers need. */
  static size(workers: number): number {
    return 1 + workers;
  }

  /** Taken by all workers. */
  get taken(): number {
    return Atomics.load(this.#counters, 0);
  }

  /** Takes a place unless `limit` are taken. Exact, however many workers ask at the same time. */
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

  /** Gives back all places of this worker, which has died; returns how many there were. */
  reclaim(): number {
    const count = Atomics.exchange(this.#counters, 1 + this.#worker, 0);
    Atomics.sub(this.#counters, 0, count);
    return count;
  }
}

export class Admission {
  /** May change at any time; who is inside stays. */
  limit: number;
  readonly #places: Places;

  /** @param limit 1 or more */
  constructor(limit: number, places = new Places()) {
    this.limit = limit;
    this.#places = places;
  }

  /** Clients inside, of all workers. */
  get count(): number {
    return this.#places.taken;
  }

  /** Takes a place; the answer gives it back, once however often it is called. Undefined when all are taken. */
  enter(): (() => void) | undefined {
    if (!this.#places.take(this.limit)) return undefined;
    let isInside = true;
    return () => {
      if (isInside) this.#places.giveBack();
      isInside = false;
    };
  }
}
