/** The response head of a stream with its `R2H-*` metadata (http.md sections 17 and 18). */
import type { ResponseHeader } from "../http/response.ts";
import type { StreamInfo } from "../relay/stream.ts";

export const STREAM_CONTENT_TYPE = "video/mp2t";

/** Every name there is, whether the answer has the header or not: a page asks for what it knows. */
const EXPOSED: ResponseHeader = [
  "Access-Control-Expose-Headers",
  "R2H-Upstream-Protocol, R2H-Upstream-Transport, R2H-Upstream-Payload, R2H-Playback-Scale, R2H-Playback-Range, " +
    "R2H-Media-Duration, R2H-FCC-Type, R2H-FCC-Status",
];

/** The headers of a stream, and of HEAD for one, but for those that stand in every answer. */
export function streamHeaders(info: StreamInfo, isCors: boolean): ResponseHeader[] {
  const headers: ResponseHeader[] = [["Content-Type", STREAM_CONTENT_TYPE], ...metadataHeaders(info)];
  return isCors ? [...headers, EXPOSED] : headers;
}

/** Metadata known at the moment the head is made; what is unknown is left out. */
export function metadataHeaders(info: StreamInfo): [name: string, value: string][] {
  const headers: [string, string][] = [["R2H-Upstream-Protocol", info.protocol]];
  if (info.payload) headers.push(["R2H-Upstream-Payload", info.payload]);
  return headers;
}
