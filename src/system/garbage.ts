/** Garbage collection at moments of our choice: the runtime would wait, and keep what it finds. */

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
