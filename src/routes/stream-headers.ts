/** The response head of a stream with its `R2H-*` metadata (http.md sections 17 and 18). */
import type { StreamInfo } from "../relay/upstream.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";

const STREAM_CONTENT_TYPE = "video/mp2t";

/** Every name there is, whether the answer has the header or not: a page asks for what it knows. */
const EXPOSED: HeaderField = [
  "Access-Control-Expose-Headers",
  "R2H-Upstream-Protocol, R2H-Upstream-Transport, R2H-Upstream-Payload, R2H-Playback-Scale, R2H-Playback-Range, " +
    "R2H-Media-Duration, R2H-FCC-Type, R2H-FCC-Status",
];

/** The headers of a stream, and of HEAD for one, but for those that stand in every answer. */
export function streamHeaders({ metadata }: StreamInfo, isCors: boolean): HeaderField[] {
  const headers: HeaderField[] = [["Content-Type", STREAM_CONTENT_TYPE], ...metadata];
  return isCors ? [...headers, EXPOSED] : headers;
}
