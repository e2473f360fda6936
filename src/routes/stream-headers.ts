/** The response head of a stream with its `R2H-*` metadata (http.md sections 17 and 18). */
import type { UpstreamFacts } from "../relay/stream.ts";

export const STREAM_CONTENT_TYPE = "video/mp2t";

/** Metadata known at the moment the head is made; what is unknown is left out. */
export function metadataHeaders(facts: UpstreamFacts): [name: string, value: string][] {
  const headers: [string, string][] = [["R2H-Upstream-Protocol", facts.protocol]];
  if (facts.payload) headers.push(["R2H-Upstream-Payload", facts.payload]);
  return headers;
}
