/** How long the tests that take the more effect the longer they last are to last. */

/** Seconds of each soak; unset in everyday runs, where each test has a short time of its own. */
const SOAK_S = Number(process.env["SLUICE_SOAK_S"] ?? 0);

/** Returns the time of a soak that is `usualMs` long in everyday runs. */
export function soakMs(usualMs: number): number {
  return Math.max(usualMs, SOAK_S * 1000);
}
