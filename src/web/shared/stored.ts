/** Choices that the browser remembers: plain strings, forgotten when they equal the default (status.md sections 1 and 16). */

/** What is stored under `key` if it is one of `choices`, else `fallback`. Storage may be forbidden: then nothing is stored. */
export function readStored<T extends string>(key: string, choices: readonly T[], fallback: T): T {
  const stored = readText(key);
  return choices.find((choice) => choice === stored) ?? fallback;
}

export function writeStored<T extends string>(key: string, value: T, fallback: T): void {
  writeText(key, value === fallback ? undefined : value);
}

export function readText(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param value undefined removes it */
export function writeText(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A private window may refuse: the choice then lasts as long as the page.
  }
}
