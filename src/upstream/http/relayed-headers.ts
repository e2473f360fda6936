/** The response headers that a client of the HTTP proxy gets (http-proxy.md sections 5 and 6). */
import { confinedHeaders, type ForeignAnswer } from "../../http/foreign-content.ts";
import { endToEndHeaders, type HeaderField, isNamed } from "../../wire/http/header-fields.ts";
import { declaredLength, transferCodings } from "../../wire/http/response-framing.ts";
import { hasPlaylistType } from "./playlist-handling.ts";

/** RFC 8216 section 4. */
const HLS_TYPE = "application/vnd.apple.mpegurl";
const CONNECTION_CLOSE: HeaderField = ["Connection", "close"];

/** About the bytes that the upstream sent, which are not those that the client gets. */
const OF_ORIGINAL_BODY =
  /^(content-length|transfer-encoding|content-encoding|accept-ranges|content-range|content-md5|digest|content-digest|repr-digest)$/i;

/**
 * For a body that passes through as it came, chunks and all: the upstream's headers in their order without those of its
 * connection, those that keep a browser from taking it for ours, then `Connection: close`. Two readers must not find two lengths, so that a `Content-Length` beside
 * `Transfer-Encoding` or one that cannot be read is dropped and a repeated one stands there once.
 */
export function relayedHeaders(answer: ForeignAnswer): HeaderField[] {
  const { headers } = answer;
  const hasCoding = transferCodings(headers) !== undefined;
  const length = declaredLength(headers);
  const isLength = (field: HeaderField) => isNamed(field, "content-length");
  const relayed = confinedHeaders({ ...answer, headers: endToEndHeaders(headers) });
  const first = relayed.find(isLength);
  return relayed
    .filter((field) => !isLength(field) || (field === first && !hasCoding && length !== undefined))
    .filter((field) => hasCoding || !isNamed(field, "transfer-encoding"))
    .map((field) => (isLength(field) ? ([field[0], String(length)] as const) : field))
    .concat([CONNECTION_CLOSE]);
}

/**
 * For a playlist that was rewritten.
 * @param length of the new body in bytes; it has no coding any more
 */
export function rewrittenHeaders(answer: ForeignAnswer, length: number): HeaderField[] {
  return relayedHeaders(answer)
    .filter(([name]) => !OF_ORIGINAL_BODY.test(name))
    .map((field) => (isNamed(field, "etag") ? ([field[0], weakTag(field[1])] as const) : field))
    .concat([["Content-Length", String(length)]]);
}

/** For a client of HTTP/1.0, which gets what chunks hold; undefined when there is more than chunks to undo, or nothing. */
export function withoutChunks(headers: readonly HeaderField[]): HeaderField[] | undefined {
  const codings = transferCodings(headers) ?? [];
  if (codings.length !== 1 || codings[0] !== "chunked") return undefined;
  return headers.filter((field) => !isNamed(field, "transfer-encoding"));
}

/** Players tell a playlist by its type or path. */
export function withPlaylistType(headers: readonly HeaderField[]): readonly HeaderField[] {
  if (hasPlaylistType(headers)) return headers;
  return [["Content-Type", HLS_TYPE], ...headers.filter((field) => !isNamed(field, "content-type"))];
}

/** RFC 9110 section 8.8.1: the bytes differ, the meaning does not. */
function weakTag(tag: string): string {
  return tag.startsWith("W/") ? tag : `W/${tag}`;
}
