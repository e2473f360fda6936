/** Channel numbers that are typed digit by digit (status.md section 12). */

/** How long after the last digit it tunes. */
export const COMMIT_AFTER_MS = 1000;
/** No playlist has more channels; what is longer starts anew. */
const MAX_DIGITS = 6;

export function addDigit(entry: string, digit: string): string {
  return entry.length >= MAX_DIGITS ? digit : entry + digit;
}

/** Leading zeros, as a remote control with fixed places types them, count for nothing. Undefined when it names no channel. */
export function enteredNumber(entry: string): number | undefined {
  const number = Number(entry);
  return number > 0 ? number : undefined;
}
