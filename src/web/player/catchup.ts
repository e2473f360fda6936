/** What catch-up asks the server for: which spans of time, and with which URL (status.md section 11, m3u.md section 12). */
import { renderTemplate } from "../../timeshift/template.ts";
import type { Channel, Source } from "./playlist.ts";

const MS_PER_SECOND = 1000;
const MS_PER_HOUR = 3_600_000;

/** A shorter past holds too little to fill a buffer. */
const MIN_SPAN_MS = 30_000;
const MAX_SPAN_MS = 5 * MS_PER_HOUR;
/** The server's clock may be behind ours: what is newer may not be recorded yet. */
const RECORDING_DELAY_MS = 10_000;
/** So far ahead requests are made that lead from the past into the present. */
const MAX_AHEAD_MS = 8 * MS_PER_HOUR;
/** Each request but the first begins so much early, so that nothing is missing between two. */
export const OVERLAP_MS = 1000;
/** A point in time that is nearer to now means "live". */
export const LIVE_EDGE_MS = 3000;

/** In ms since 1970. */
export interface TimeRange {
  readonly beginMs: number;
  readonly endMs: number;
}

/** The requests that play from `startMs` on, one after the other, through the present into the hours to come. */
export function* catchupRequests(startMs: number, nowMs: number, overlapMs = OVERLAP_MS): Generator<TimeRange, void> {
  const firstMs = wholeSeconds(Math.min(startMs, nowMs - MIN_SPAN_MS));
  const spanMs = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, nowMs - firstMs));
  const recordedMs = wholeSeconds(nowMs - RECORDING_DELAY_MS);
  for (let atMs = firstMs; atMs < nowMs + MAX_AHEAD_MS; ) {
    const isPast = atMs < recordedMs;
    const endMs = wholeSeconds(isPast ? Math.min(atMs + spanMs, recordedMs) : atMs + spanMs / 2);
    // Rounding to seconds must not stand still.
    const next = Math.max(endMs, atMs + MS_PER_SECOND);
    yield { beginMs: atMs === firstMs ? atMs : atMs - overlapMs, endMs: next };
    atMs = next;
  }
}

/** Some formats have no fractions: what is asked for is then exactly what is meant. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / MS_PER_SECOND) * MS_PER_SECOND;
}

/**
 * The URL that plays a time range, with the time and the zone of the browser; the live URL of a source without catch-up.
 * @param zoneMin in minutes east of UTC
 */
export function catchupUrl(
  source: Source,
  range: TimeRange,
  nowMs = Date.now(),
  zoneMin = -new Date(range.beginMs).getTimezoneOffset(),
): string {
  if (!source.catchup) return source.url;
  const { mode, template } = source.catchup;
  const whole = mode === "append" ? source.url + template : template;
  return renderTemplate(whole, { ...range, nowMs, zoneMin, plain: "unix" }) ?? source.url;
}

/** The source at `index` if it can, else the first one that can; -1 when none can. */
export function catchupSource(channel: Channel, index: number): number {
  return channel.sources[index]?.catchup ? index : channel.sources.findIndex((source) => source.catchup !== undefined);
}

/** The source to try after the one at `index`, in a circle; that one when there is no other. */
export function nextSource(channel: Channel, index: number, needsCatchup: boolean): number {
  const count = channel.sources.length;
  for (let step = 1; step < count; step++) {
    const candidate = (index + step) % count;
    if (!needsCatchup || channel.sources[candidate]?.catchup) return candidate;
  }
  return index;
}
