/** Garbage collection at moments of our choice: the runtime would wait, and keep what it finds. */

import { readFileSync } from "node:fs";

/** So much more than there was, of memory that no file backs, is worth a pause. */
const GROWTH_BYTES = 24 * 1024 * 1024;
const LOOK_INTERVAL_MS = 5000;

/**
 * Collects garbage in a while, and gives free memory back to the system. That stops the process for ten milliseconds, more where
 * much is in use.
 * @param before makes something garbage first
 * @returns calls that off
 */
export function collectGarbageIn(delayMs: number, before?: () => void): () => void {
  const timer = setTimeout(() => {
    before?.();
    Bun.gc(true);
  }, delayMs).unref();
  return () => clearTimeout(timer);
}

/**
 * Collects garbage whenever the process has grown by much since there was least. The runtime would wait for a quiet moment, which it
 * never sees while a stream runs, or for a multiple of what it holds: after a flood of 12 MB bodies and heads a worker kept 150 MB.
 * @returns ends that
 */
export function collectGrowth(lookIntervalMs = LOOK_INTERVAL_MS): () => void {
  let least = Number.POSITIVE_INFINITY;
  const timer = setInterval(() => {
    const bytes = anonymousBytes();
    if (bytes > least + GROWTH_BYTES) {
      Bun.gc(true);
      // Pages go back a little later. What stays is in use, and the measure from now on.
      least = bytes;
    } else least = Math.min(least, bytes);
  }, lookIntervalMs).unref();
  return () => clearInterval(timer);
}

/** Memory of this process that no file backs; 0 where /proc does not tell. */
function anonymousBytes(): number {
  try {
    return Number(/^RssAnon:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
