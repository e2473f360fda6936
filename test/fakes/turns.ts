/** Lets a few go on at a time; the others wait in the order of their coming. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most how many at a time */
  constructor(most: number) {
    this.#free = most;
  }

  /** Waits for a turn, which lasts until it is disposed of. */
  async next(): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { [Symbol.dispose]: () => this.#done() };
  }

  #done(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
