/**
 * Which part of an endless channel is asked for: what is on now, or what was on at some time (m3u.md section 10). A demo
 * channel has no recordings: its clip has always been repeating, so every time has a position in it.
 */

import { parseSeekValue } from "../timeshift/seek-value.ts";
import { instantMs, MS_PER_SECOND } from "../timeshift/times.ts";
import { parseNptTime } from "../wire/rtsp/range.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { queryParameter } from "../wire/url/query.ts";

const TICKS_PER_MS = 90;

export interface Playback {
  /** Unix time, 0…now. */
  readonly startMs: number;
  /** Unix time after `startMs`; undefined plays on for ever. */
  readonly endMs: number | undefined;
}

/** Where the endless stream is at a Unix time, in 90 kHz ticks since 1970. */
export function positionTicks(unixMs: number): number {
  return Math.floor(unixMs) * TICKS_PER_MS;
}

/**
 * What the query of a URL asks for with `playseek`; times without a zone are UTC. A value that is no time is what is on now.
 * @param query without `?`
 */
export function soughtPlayback(query: ByteString, nowMs: number): Playback {
  return timesOf(queryParameter(query, "playseek") ?? asByteString(""), nowMs) ?? { startMs: nowMs, endMs: undefined };
}

/**
 * What a `Range` header (RFC 2326 section 12.29) makes of it; undefined when it is not understood. Normal play time counts
 * from the start of what the URL asks for.
 */
export function rangedPlayback(range: string, sought: Playback, nowMs: number): Playback | undefined {
  const [, unit = "", value = ""] = /^(npt|clock) *= *([^ ;]+)/.exec(range) ?? [];
  if (unit === "clock") return timesOf(value, nowMs);
  const [start = "", end = ""] = value.split("-");
  if (start === "now") return { startMs: nowMs, endMs: undefined };
  const startS = parseNptTime(start);
  const endS = parseNptTime(end);
  if (startS === undefined || (endS === undefined && end !== "")) return undefined;
  const at = (seconds: number) => sought.startMs + seconds * MS_PER_SECOND;
  return playback(at(startS), endS === undefined ? sought.endMs : at(endS), nowMs);
}

function timesOf(text: string, nowMs: number): Playback | undefined {
  const { begin, end } = parseSeekValue(text);
  return begin && playback(instantMs(begin, 0), end && instantMs(end, 0), nowMs);
}

/** The future is what is on now; an end that is before the start is none. */
function playback(wantedMs: number, endMs: number | undefined, nowMs: number): Playback {
  const startMs = Math.min(Math.max(0, wantedMs), nowMs);
  return { startMs, endMs: endMs !== undefined && endMs > startMs ? endMs : undefined };
}
