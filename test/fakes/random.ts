/** Random numbers that are the same in every run. */

/** Returns a function that gives numbers from 0 up to, not including, 1. */
export function seededRandom(seed: number): () => number {
  // Neighbours among small seeds would begin with the same very small numbers.
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    // Marsaglia's xorshift32, which would stay at 0 for ever.
    state ||= 1;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
