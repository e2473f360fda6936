/** What the relay reads of a session description (RFC 8866; rtsp.md section 5.3): payload, control URL, duration. */
import { trimBlanks } from "../text/blanks.ts";
import { type NptRange, parseNptRange } from "./range.ts";

export interface SessionDescription {
  /** It announces MPEG-TS within RTP. Only a hint: what really comes decides. */
  readonly isRtp: boolean;
  /** Of the first medium; undefined when it has none. Byte string, still a reference. */
  readonly control: string | undefined;
  /** Of the session as a whole, from before the first medium. */
  readonly sessionControl: string | undefined;
  /** The first one with two ends. */
  readonly range: NptRange | undefined;
}

/** Nobody needs more to describe a channel. */
const MAX_LINES = 1000;
/** Longer ones are passed over: no URL that is asked for is so long. */
const MAX_LINE_BYTES = 4096;

const LINE_END = /\r\n|\r|\n/;
const MEDIA = /^m=/;
/** RFC 3551 section 6: payload type 33 is MP2T. */
const RTP_MEDIA = /^m=\S+ +\S+ +RTP\/\S+(?: +\d+)* +33(?: |$)/i;
const MP2T_MAP = /^a=rtpmap: *\d+ +MP2T\//i;
const CONTROL = /^a=control:(.*)$/i;
const RANGE = /^a=range:(.*)$/i;

/** Lines that mean nothing to it are passed over, so that every body is a description, if an empty one. */
export function parseSdp(body: Uint8Array): SessionDescription {
  const lines = Buffer.from(body)
    .toString("latin1")
    .split(LINE_END, MAX_LINES)
    .filter((line) => line.length <= MAX_LINE_BYTES)
    .map(trimBlanks);
  const firstMedia = lines.findIndex((line) => MEDIA.test(line));
  return {
    isRtp: lines.some((line) => RTP_MEDIA.test(line) || MP2T_MAP.test(line)),
    control: firstDefined(lines.slice(Math.max(firstMedia, 0)), controlOf),
    sessionControl: firstDefined(lines.slice(0, Math.max(firstMedia, 0)), controlOf),
    range: firstDefined(lines, rangeOf),
  };
}

function controlOf(line: string): string | undefined {
  const value = CONTROL.exec(line)?.[1];
  return value === undefined ? undefined : trimBlanks(value);
}

function rangeOf(line: string): NptRange | undefined {
  return parseNptRange(RANGE.exec(line)?.[1] ?? "");
}

function firstDefined<T>(lines: readonly string[], read: (line: string) => T | undefined): T | undefined {
  for (const line of lines) {
    const value = read(line);
    if (value !== undefined) return value;
  }
  return undefined;
}
