/** Which responses of an HTTP upstream may be playlists to rewrite (http-proxy.md section 6; m3u.md section 14). */
import { type HeaderField, headerValue, listElements } from "../../wire/http/header-fields.ts";
import { type BodyFraming, transferCodings } from "../../wire/http/response-framing.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";

/** Of the body as it arrives, and of what its content coding holds. */
export const MAX_PLAYLIST_BYTES = 2 * 1024 * 1024;

const PLAYLIST_PATH = /\.m3u8?$/i;
const PLAYLIST_TYPE =
  /^[\t ]*(application\/vnd\.apple\.mpegurl|application\/x-mpegurl|audio\/x-mpegurl|audio\/mpegurl)/i;

export type ContentCoding = "identity" | "gzip" | "deflate" | "br";

const CONTENT_CODINGS: Readonly<Record<string, ContentCoding>> = {
  identity: "identity",
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
};

export type PlaylistHandling =
  /** No playlist, or one that cannot be read: relay it as it comes. */
  | { readonly kind: "relay" }
  /**
   * Its first bytes tell (`FirstBytes`). `isNamed`: its path or type says that it is one, so that all text is.
   * A playlist is to be collected, at most `MAX_PLAYLIST_BYTES`, its coding undone, and rewritten.
   */
  | { readonly kind: "look"; readonly coding: ContentCoding; readonly isNamed: boolean }
  /** 503: its transfer codings cannot be undone. */
  | { readonly kind: "refuse" };

/** A stream of events has no end, and its head is waited for. */
const EVENT_STREAM = /^[\t ]*text\/event-stream[\t ]*(;|$)/i;
/** From the first byte on, up to a last one that may be the body's. */
const FROM_START = /^bytes[\t ]+0-(\d+)\/(\d+|\*)$/i;

const RELAY: PlaylistHandling = { kind: "relay" };

/** @param path of the upstream URL; a query or fragment behind it does not count */
export function isPlaylistPath(path: string): boolean {
  return PLAYLIST_PATH.test(path.split(/[?#]/, 1)[0]!);
}

/** @param headers of a response */
export function hasPlaylistType(headers: readonly HeaderField[]): boolean {
  return PLAYLIST_TYPE.test(headerValue(headers, "content-type") ?? "");
}

/**
 * @param method of the request
 * @param path of the upstream URL after all substitutions
 * @param range of the request
 */
export function playlistHandling(
  method: string,
  path: string,
  range: string | undefined,
  head: ResponseHead,
  framing: BodyFraming,
): PlaylistHandling {
  const { status, headers } = head;
  if (method === "HEAD" || status < 200 || status > 299 || framing.kind === "none") return RELAY;
  // Lines that are cut in two cannot be rewritten.
  if (status === 206 && !isWhole(range, headers)) return RELAY;
  const coding = contentCoding(head);
  if (!coding || EVENT_STREAM.test(headerValue(headers, "content-type") ?? "")) return RELAY;
  const isNamed = isPlaylistPath(path) || hasPlaylistType(headers);
  const codings = transferCodings(headers);
  const isReadable = codings === undefined || (codings.length === 1 && codings[0] === "chunked");
  if (isReadable) return { kind: "look", coding, isNamed };
  return isNamed ? { kind: "refuse" } : RELAY;
}

/** Many players ask for all of a file in this way, and some servers answer it with all as a part. */
function isWhole(range: string | undefined, headers: readonly HeaderField[]): boolean {
  const [, last, total] = FROM_START.exec(headerValue(headers, "content-range") ?? "") ?? [];
  return isFromStart(range) && last !== undefined && (total === "*" || Number(total) === Number(last) + 1);
}

/** Whether a request's `Range` means everything. */
export function isFromStart(range: string | undefined): boolean {
  return range !== undefined && /^bytes[\t ]*=[\t ]*0-[\t ]*$/i.test(range);
}

function contentCoding({ headers }: ResponseHead): ContentCoding | undefined {
  const [coding = "identity", ...others] = listElements(headers, "content-encoding");
  return others.length === 0 ? CONTENT_CODINGS[coding.toLowerCase()] : undefined;
}
