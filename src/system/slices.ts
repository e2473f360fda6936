/** Long work in slices: between them packets are relayed, and all such works together have one slice in a turn of the event loop. */

/** What a source or a work may take of one turn. */
export const SLICE_MS = 4;

/** Who waits for a turn, the first one first. */
const waiting: (() => void)[] = [];

/** Calls `task`, which takes about a slice, in a later turn that is its own. */
export function inLaterTurn(task: () => void): void {
  if (waiting.push(task) === 1) setImmediate(runNext);
}

function runNext(): void {
  const [task] = waiting;
  try {
    task?.();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setImmediate(runNext);
  }
}

/** A synchronous work asks `isOver` every fraction of a millisecond, and awaits `next` when it is. */
export class Slices {
  #endsAt = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  /** Resolves when all that waits has had its turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => inLaterTurn(resolve));
    this.#endsAt = performance.now() + SLICE_MS;
  }
}
