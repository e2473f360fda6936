/** The request head that goes to an HTTP upstream, made from the client's (http-proxy.md section 3). */

import { TOKEN_NAME, withoutTokenInUrl, withoutTokenWord } from "../../http/token.ts";
import {
  emitMessageHead,
  endToEndHeaders,
  type HeaderField,
  headerValue,
  isNamed,
} from "../../wire/http/header-fields.ts";
import { trimBlanks } from "../../wire/text/blanks.ts";
import { asByteString } from "../../wire/text/byte-string.ts";
import { percentEncode, percentEncodeText } from "../../wire/url/percent.ts";
import { isPlaylistPath } from "./playlist-handling.ts";

/** Made anew, or about this relay only. Without `Accept-Encoding`, playlists arrive as text. */
const REPLACED = /^(host|content-length|transfer-encoding|accept-encoding|expect|x-forwarded-.*)$/i;
/** A part of a playlist cannot be rewritten (http-proxy.md section 6). */
const RANGES = /^(range|if-range)$/i;

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query; what cannot stand in a request line is percent-encoded. */
  readonly target: string;
  /** The value of `Host`. */
  readonly host: string;
  /** The client's. */
  readonly headers: readonly HeaderField[];
  /** Bytes of body that will follow the head. */
  readonly bodyLength: number;
  /** Byte string in place of the client's `User-Agent`; empty counts as none. */
  readonly userAgent?: string | undefined;
  /** Of the list that names the upstream: in place of the client's, and of `userAgent`. */
  readonly prescribed?: readonly HeaderField[] | undefined;
  /** The access token of this relay; when there is one, whatever may carry it is cut out of the headers. */
  readonly token?: string | undefined;
}

/** Headers keep their order and spelling; those without a value are dropped. */
export function emitUpstreamRequest(request: UpstreamRequest): Buffer<ArrayBuffer> {
  const { method, host, bodyLength, userAgent, prescribed = [] } = request;
  const target = request.target.replace(/[^!-~]+/g, encoded);
  const headers: HeaderField[] = [
    ["Host", host],
    ["Connection", "close"],
  ];
  if (bodyLength > 0) headers.push(["Content-Length", String(bodyLength)]);
  const forwarded = forwardedHeaders(request);
  const cookie = headerValue(forwarded, "cookie");
  headers.push(...forwarded.filter(([name]) => headerValue(prescribed, name) === undefined));
  for (const field of prescribed) headers.push(isNamed(field, "cookie") && cookie ? withCookie(field, cookie) : field);
  if (userAgent && headerValue(prescribed, "user-agent") === undefined) headers.push(["User-Agent", userAgent]);
  return emitMessageHead(`${method} ${target} HTTP/1.1`, headers);
}

/** The client's cookies may be the server's own, and newer: they beat those of the same names. */
function withCookie([name, value]: HeaderField, own: string): HeaderField {
  const known = own.split(";").map(cookieName);
  const others = value.split(";").filter((pair) => !known.includes(cookieName(pair)));
  return [name, [...others.map(trimBlanks), own].join("; ")];
}

function cookieName(pair: string): string {
  return trimBlanks(pair.split("=", 1)[0]!);
}

/** Bytes stand for themselves; a character that is none is encoded in UTF-8. */
function encoded(text: string): string {
  return /[^\0-\xff]/.test(text) ? percentEncodeText(text) : percentEncode(asByteString(text));
}

function forwardedHeaders({ headers, target, userAgent, token }: UpstreamRequest): HeaderField[] {
  const isPlaylist = isPlaylistPath(target);
  return endToEndHeaders(headers)
    .filter(([name]) => !REPLACED.test(name))
    .filter(([name]) => !(isPlaylist && RANGES.test(name)))
    .filter((field) => !(userAgent && isNamed(field, "user-agent")))
    .map(([name, value]): HeaderField => [name, token ? withoutTokenIn(name, value) : value])
    .filter(([, value]) => value !== "");
}

function withoutTokenIn(name: string, value: string): string {
  switch (name.toLowerCase()) {
    case "cookie":
      return withoutTokenCookie(value);
    case "user-agent":
      return withoutTokenWord(value);
    case "referer":
      return withoutTokenInUrl(value);
    default:
      return value;
  }
}

function withoutTokenCookie(value: string): string {
  const pairs = value.split(";");
  const kept = pairs.filter((pair) => trimBlanks(pair.split("=", 1)[0]!).toLowerCase() !== TOKEN_NAME);
  if (kept.length === pairs.length) return value;
  return kept.every((pair) => trimBlanks(pair) === "") ? "" : trimBlanks(kept.join(";"));
}
