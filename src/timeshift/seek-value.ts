/** The value of a seek parameter: `begin`, `begin-` or `begin-end` (m3u.md section 10). */
import { MAX_TIME_BYTES, normalisedTime, parseTime, type TimeValue } from "./times.ts";

export interface SeekValue {
  /** The whole value as the client sent it, percent-decoded. */
  readonly text: string;
  /** Undefined when the text is no time. */
  readonly begin: TimeValue | undefined;
  readonly end: TimeValue | undefined;
  /** Whether a `-` stands behind the begin. */
  readonly isSplit: boolean;
}

/** Seconds added to the two ends, from `r2h-seek-offset`. */
export interface SeekOffset {
  readonly beginS: number;
  readonly endS: number;
}

/** Of the `-` in the text, the first with a time to its left and a time or nothing to its right parts begin and end. */
export function parseSeekValue(text: string): SeekValue {
  for (let at = text.indexOf("-"); at >= 0 && at <= MAX_TIME_BYTES; at = text.indexOf("-", at + 1)) {
    const begin = parseTime(text.slice(0, at));
    const right = text.slice(at + 1);
    const end = parseTime(right);
    if (begin && (end || right === "")) return { text, begin, end, isSplit: true };
  }
  return { text, begin: parseTime(text), end: undefined, isSplit: false };
}

/**
 * The value that goes upstream. What is no time stays as it is.
 * @param zoneMin of the client, minutes east of UTC
 */
export function normalisedSeekValue(value: SeekValue, zoneMin: number, offset: SeekOffset): string {
  const { text, begin, end, isSplit } = value;
  if (!begin) return text;
  const from = normalisedTime(begin, zoneMin, offset.beginS);
  if (!isSplit) return from;
  return `${from}-${end ? normalisedTime(end, zoneMin, offset.endS) : ""}`;
}
