/** The URL that an upstream is asked for, with the times of a seek in it (m3u.md section 13). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentEncode } from "../wire/url/percent.ts";
import { carriedTimes } from "./carried-times.ts";
import { findPlaceholders } from "./placeholders.ts";
import { clockRange } from "./seek-mode.ts";
import { isUnfilled } from "./seek-parameter.ts";
import type { Seek, SeekRequest } from "./seek-request.ts";
import { normalisedSeekValue } from "./seek-value.ts";
import { isTemplate, renderTemplate } from "./template.ts";

export const MAX_UPSTREAM_URL_BYTES = 2047;

/** Where and when the client is. */
interface Viewer {
  /** Ms since 1970. */
  readonly nowMs: number;
  /** Minutes east of UTC. */
  readonly zoneMin: number;
}

export interface UpstreamUrl {
  readonly url: ByteString;
  /** The value of `Range` in an RTSP PLAY; undefined for none, and always over HTTP. */
  readonly range: string | undefined;
}

/** @returns undefined when a template lacks a time, or when the URL would be over 2047 bytes: 503 */
export function resolveUpstreamUrl(request: SeekRequest, viewer: Viewer): UpstreamUrl | undefined {
  const { seek, start } = request;
  const npt = start === undefined ? undefined : `npt=${start}-`;
  const clock = seek && seekRange(request, seek, viewer);
  const url = soughtUrl(request, viewer, clock !== undefined);
  if (url === undefined || url.length > MAX_UPSTREAM_URL_BYTES) return undefined;
  return { url, range: clock ?? npt };
}

function seekRange({ way, mode, offset }: SeekRequest, { value }: Seek, viewer: Viewer): string | undefined {
  if (way !== "range" || mode.kind !== "range") return undefined;
  return clockRange(value, mode, offset, viewer);
}

function soughtUrl(request: SeekRequest, viewer: Viewer, isInRange: boolean): ByteString | undefined {
  const { url, seek, isConfigured } = request;
  if (!isTemplate(url)) return !seek || isInRange ? url : withParameter(url, request, seek, viewer);
  // A service whose own placeholder nobody filled asks for nothing: all of its URL goes out as it stands.
  const isUnasked = isConfigured && seek !== undefined && isUnfilled(seek.value.text);
  const rendered = isUnasked ? url : isEmpty(request) ? withPresent(url, viewer) : renderSeek(request, viewer);
  // Elsewhere the parameter was only there to carry the times to the template.
  if (rendered === undefined || !seek || !isConfigured || isInRange) return rendered;
  return withParameter(rendered, request, seek, viewer);
}

/** Nothing came that a placeholder could be filled with. */
function isEmpty({ seek, carried: { span, clocks, catchupId } }: SeekRequest): boolean {
  return !seek && !span && !clocks.some(Boolean) && catchupId === undefined;
}

/** Some servers want to know the time even of who asks for what is on now; players put it into live URLs too. */
function withPresent(url: ByteString, { nowMs, zoneMin }: Viewer): ByteString {
  const isOfNow = findPlaceholders(url).every(({ needs }) => needs.length === 1 && needs[0] === "now");
  const times = { beginMs: undefined, endMs: undefined, nowMs, zoneMin, plain: "unix" } as const;
  return isOfNow ? asByteString(renderTemplate(url, times) ?? url) : url;
}

function renderSeek(request: SeekRequest, viewer: Viewer): ByteString | undefined {
  const times = carriedTimes(request, viewer);
  const rendered = times && renderTemplate(request.url, times);
  return rendered === undefined ? undefined : asByteString(rendered);
}

function withParameter(
  url: ByteString,
  { offset }: SeekRequest,
  { name, value }: Seek,
  { zoneMin }: Viewer,
): ByteString {
  const text = `${name}=${normalisedSeekValue(value, zoneMin, offset)}`;
  // The value is written raw, but a line break in it would end the request line and begin a header.
  const safe = text.replace(/[\0-\x20\x7f]/g, (byte) => percentEncode(asByteString(byte)));
  return asByteString(`${url}${url.includes("?") ? "&" : "?"}${safe}`);
}
