/** Time zones as clients name them: hours, or hours and minutes, east or west of UTC (m3u.md sections 11.2 and 13.2). */

const MIN_ZONE_MIN = -12 * 60;
const MAX_ZONE_MIN = 14 * 60;
const MINUTES_PER_HOUR = 60;

const MARKER = "TZ/";
/** `+8`, `+08`, `+5:30`, `+0530`. */
const OFFSET = "([+-])(?:(\\d{1,2})(?::?([0-5]\\d))?)";
/** Other text may follow, for instance the bracket that closes a comment. */
const MARKED_ZONE = new RegExp(`^UTC(?:${OFFSET}(?!\\d))?`);
const ZONE = new RegExp(`^UTC(?:${OFFSET})?$`);
const THREE_DIGITS = /^UTC[+-]\d{3}(?!\d)/;

/**
 * The zone of a client whose `User-Agent` says `TZ/UTC+8` or `TZ/UTC+5:30`, in minutes east of UTC. UTC when it says nothing, or
 * nothing that can be: only the first `TZ/` counts.
 */
export function clientZone(userAgent = ""): number {
  const at = userAgent.indexOf(MARKER);
  if (at < 0) return 0;
  return zoneMinutes(userAgent.slice(at + MARKER.length), MARKED_ZONE) ?? 0;
}

/** Reads `UTC`, `UTC+8`, `UTC-5` or `UTC+5:30` to minutes east of UTC; undefined when it is anything else or out of −12…+14. */
export function parseZone(text: string): number | undefined {
  return zoneMinutes(text, ZONE);
}

/** Whether so many minutes east of UTC can be a zone: all there are lie on quarters of hours. */
export function isZone(minutes: number): boolean {
  return minutes % 15 === 0 && minutes >= MIN_ZONE_MIN && minutes <= MAX_ZONE_MIN;
}

function zoneMinutes(text: string, pattern: RegExp): number | undefined {
  const match = THREE_DIGITS.test(text) ? null : pattern.exec(text);
  if (!match) return undefined;
  const [, sign, hours = "0", minutes = "0"] = match;
  const distance = Number(hours) * MINUTES_PER_HOUR + Number(minutes);
  const east = sign === "-" ? 0 - distance : distance;
  return east < MIN_ZONE_MIN || east > MAX_ZONE_MIN ? undefined : east;
}
