/** How long the tests that take the more effect the longer they last are to last, and what they look at meanwhile. */

const SAMPLE_MS = 100;

/** Seconds of each soak; unset in everyday runs, where each test has a short time of its own. */
const SOAK_S = Number(process.env["SLUICE_SOAK_S"] ?? 0);

/** Returns the time of a soak that is `usualMs` long in everyday runs. */
export function soakMs(usualMs: number): number {
  return Math.max(usualMs, SOAK_S * 1000);
}

/** Returns the highest of what is measured within a time; what it is now for 0 ms. */
export async function highest(measure: () => Promise<number>, ms: number): Promise<number> {
  const deadline = performance.now() + ms;
  let most = await measure();
  while (performance.now() < deadline) {
    await Bun.sleep(SAMPLE_MS);
    most = Math.max(most, await measure());
  }
  return most;
}
