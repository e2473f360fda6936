/** Time zones as clients name them: whole hours east or west of UTC (m3u.md sections 11.2 and 13.2). */

const MIN_ZONE_HOURS = -12;
const MAX_ZONE_HOURS = 14;
const MINUTES_PER_HOUR = 60;

const MARKER = "TZ/";
/** Other text may follow, for instance the bracket that closes a comment. */
const MARKED_ZONE = /^UTC([+-]\d+)?/;
const ZONE = /^UTC([+-]\d{1,2})?$/;

/**
 * The zone of a client whose `User-Agent` says `TZ/UTC+8`, in minutes east of UTC. UTC when it says nothing, or nothing
 * that can be: only the first `TZ/` counts.
 */
export function clientZone(userAgent = ""): number {
  const at = userAgent.indexOf(MARKER);
  if (at < 0) return 0;
  return zoneMinutes(MARKED_ZONE.exec(userAgent.slice(at + MARKER.length))) ?? 0;
}

/** Reads `UTC`, `UTC+8` or `UTC-5` to minutes east of UTC; undefined when it is anything else or out of −12…+14. */
export function parseZone(text: string): number | undefined {
  return zoneMinutes(ZONE.exec(text));
}

function zoneMinutes(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined;
  const hours = Number(match[1] ?? 0);
  return hours < MIN_ZONE_HOURS || hours > MAX_ZONE_HOURS ? undefined : hours * MINUTES_PER_HOUR;
}
