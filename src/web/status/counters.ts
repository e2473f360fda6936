/** How much counters have grown, though what they count for comes, goes and starts again. */

/** By id. */
export type Totals = ReadonlyMap<string, number>;

/** @param before undefined when there is nothing to compare with: all of `after` is then older than the page */
export function growth(before: Totals | undefined, after: Totals): number {
  if (before === undefined) return 0;
  let sum = 0;
  for (const [id, total] of after) sum += growthOfOne(before.get(id) ?? 0, total);
  return sum;
}

/** A total that went back has started again at zero. */
function growthOfOne(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** The growth of one total during the last minute. */
export class RecentGrowth {
  readonly #steps: { readonly atMs: number; readonly growth: number }[] = [];
  #total: number | undefined;

  /** @param initial the total before the first one that is added; undefined if that one is the first to be known */
  constructor(initial: number | undefined) {
    this.#total = initial;
  }

  add(total: number, atMs: number): void {
    const grown = this.#total === undefined ? 0 : growthOfOne(this.#total, total);
    this.#total = total;
    if (grown > 0) this.#steps.push({ atMs, growth: grown });
  }

  /** At most one step per event is kept: not more than a minute's events. */
  since(ms: number): number {
    while (this.#steps[0] !== undefined && this.#steps[0].atMs < ms) this.#steps.shift();
    return this.#steps.reduce((sum, step) => sum + step.growth, 0);
  }
}
