/** Waiting in tests: for a condition, with a limit, and with an error that says what did not happen. */

const POLL_MS = 2;

/** Waits until `predicate` holds. Rejects after `ms` milliseconds with an error that names `what`, as it is by then. */
export async function until(
  predicate: () => boolean | Promise<boolean>,
  ms: number,
  what: string | (() => string),
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await predicate())) {
    if (performance.now() > deadline) {
      throw new Error(`timed out after ${ms} ms waiting for ${typeof what === "string" ? what : what()}`);
    }
    await Bun.sleep(POLL_MS);
  }
}

/** Resolves as `promise` does. Rejects after `ms` milliseconds with an error that names `what`. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`timed out after ${ms} ms waiting for ${what}`)), ms);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
