/** The `R2H-*` metadata of RTSP streams, which know more than others (http.md section 18; multicast.md section 10). */
import type { ResponseHeader } from "../http/response.ts";
import type { RtspStreamInfo } from "../upstream/rtsp/stream-info.ts";
import { streamHeaders } from "./stream-headers.ts";

const FRACTION_DIGITS = 6;
/** From here on `toFixed` writes an exponent. */
const TOO_LARGE = 1e21;

/** The headers of an RTSP stream, and of HEAD for one, in the order of the specification. */
export function rtspHeaders(info: RtspStreamInfo, isCors: boolean): ResponseHeader[] {
  const { transport, scale, range, duration } = info;
  const upstream: ResponseHeader[] = transport === undefined ? [] : [["R2H-Upstream-Transport", transport]];
  const playback = [
    ...numberHeader("R2H-Playback-Scale", scale),
    ...(range === undefined ? [] : [["R2H-Playback-Range", range] as const]),
    ...numberHeader("R2H-Media-Duration", duration && duration.endS - duration.startS),
  ];
  const headers = streamHeaders(info, isCors);
  insertBehind(headers, "R2H-Upstream-Protocol", upstream);
  insertBehind(
    headers,
    info.payload ? "R2H-Upstream-Payload" : (upstream[0]?.[0] ?? "R2H-Upstream-Protocol"),
    playback,
  );
  return headers;
}

/** Plain decimal with at most six digits behind the point; none for a number that cannot be written so. */
function numberHeader(name: string, value: number | undefined): ResponseHeader[] {
  if (value === undefined || !(Math.abs(value) < TOO_LARGE)) return [];
  const text = value.toFixed(FRACTION_DIGITS).replace(/\.?0+$/, "");
  return [[name, text === "-0" ? "0" : text]];
}

function insertBehind(headers: ResponseHeader[], name: string, added: readonly ResponseHeader[]): void {
  headers.splice(headers.findIndex((header) => header[0] === name) + 1, 0, ...added);
}
