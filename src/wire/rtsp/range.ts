/** Times and ranges of RTSP in normal play time (RFC 2326 sections 3.6 and 12.29; rtsp.md sections 5.3, 5.5 and 9.1). */
import { trimBlanks } from "../text/blanks.ts";

/** Of a `Range` that is passed on to the client. */
const MAX_RANGE_BYTES = 255;

export interface NptRange {
  /** Seconds, at least 0. */
  readonly startS: number;
  /** Seconds, at least `startS`. */
  readonly endS: number;
}

const SECONDS = /^\d+(?:\.\d*)?$/;
const HOURS = /^(\d+):([0-5]?\d):([0-5]?\d(?:\.\d*)?)$/;
const NPT_RANGE = /^npt *= *([^-; ]+) *- *([^-; ]+)$/i;
const PRINTABLE = /^[ -~]+$/;

/** `17.5` or `0:00:17.5` in seconds. Undefined for anything else, for `now` too. */
export function parseNptTime(text: string): number | undefined {
  const [, hours = 0, minutes = 0, seconds = SECONDS.test(text) ? text : Number.NaN] = HOURS.exec(text) ?? [];
  const timeS = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return Number.isFinite(timeS) ? timeS : undefined;
}

/** `npt=<start>-<end>`. Undefined unless both ends are times and in order. */
export function parseNptRange(value: string): NptRange | undefined {
  const [, start = "", end = ""] = NPT_RANGE.exec(trimBlanks(value)) ?? [];
  const startS = parseNptTime(start);
  const endS = parseNptTime(end);
  if (startS === undefined || endS === undefined || endS < startS) return undefined;
  return { startS, endS };
}

/** A `Range` as it came, in whatever unit (`npt`, `clock`, `smpte`), when it may stand in a header for the client. */
export function relayableRange(value: string): string | undefined {
  return value.length <= MAX_RANGE_BYTES && PRINTABLE.test(value) ? value : undefined;
}
