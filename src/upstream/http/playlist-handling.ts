/** Which responses of an HTTP upstream are playlists to rewrite (http-proxy.md section 6; m3u.md section 14). */
import { headerValue, listElements } from "../../wire/http/header-fields.ts";
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
  /** The same, but worth a warning. */
  | { readonly kind: "relay-too-large"; readonly length: number }
  /** Collect at most `MAX_PLAYLIST_BYTES`, undo the coding, rewrite. */
  | { readonly kind: "collect"; readonly coding: ContentCoding }
  /** 503: its transfer codings cannot be undone. */
  | { readonly kind: "refuse" };

const RELAY: PlaylistHandling = { kind: "relay" };

/** @param path of the upstream URL; a query or fragment behind it does not count */
export function isPlaylistPath(path: string): boolean {
  return PLAYLIST_PATH.test(path.split(/[?#]/, 1)[0]!);
}

/**
 * @param method of the request
 * @param path of the upstream URL after all substitutions
 */
export function playlistHandling(
  method: string,
  path: string,
  head: ResponseHead,
  framing: BodyFraming,
): PlaylistHandling {
  if (!isPlaylist(method, path, head) || framing.kind === "none") return RELAY;
  const coding = contentCoding(head);
  if (!coding) return RELAY;
  if (framing.kind === "length" && framing.length > MAX_PLAYLIST_BYTES) {
    return { kind: "relay-too-large", length: framing.length };
  }
  const codings = transferCodings(head.headers);
  const isReadable = codings === undefined || (codings.length === 1 && codings[0] === "chunked");
  return isReadable ? { kind: "collect", coding } : { kind: "refuse" };
}

/** A 206 holds a part only, and lines cut in two cannot be rewritten. */
function isPlaylist(method: string, path: string, { status, headers }: ResponseHead): boolean {
  if (method === "HEAD" || status < 200 || status > 299 || status === 206) return false;
  return isPlaylistPath(path) || PLAYLIST_TYPE.test(headerValue(headers, "content-type") ?? "");
}

function contentCoding({ headers }: ResponseHead): ContentCoding | undefined {
  const [coding = "identity", ...others] = listElements(headers, "content-encoding");
  return others.length === 0 ? CONTENT_CODINGS[coding.toLowerCase()] : undefined;
}
