/** The limit on media clients (`-m`, http.md section 14). */

export class Admission {
  readonly limit: number;
  #count = 0;

  /** @param limit 1 or more */
  constructor(limit: number) {
    this.limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes a place; the answer gives it back, once however often it is called. Undefined when all are taken. */
  enter(): (() => void) | undefined {
    if (this.#count >= this.limit) return undefined;
    this.#count++;
    let isInside = true;
    return () => {
      if (isInside) this.#count--;
      isInside = false;
    };
  }
}
