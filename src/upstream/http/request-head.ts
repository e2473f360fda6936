/** The request head that goes to an HTTP upstream, made from the client's (http-proxy.md section 3). */

import { TOKEN_NAME, withoutTokenInUrl, withoutTokenWord } from "../../http/token.ts";
import { holdsSecret } from "../../system/shown.ts";
import { isBrowser } from "../../wire/http/browser.ts";
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
import { authorityOf, type ProxyUrl } from "../../wire/url/proxy-url.ts";
import { cookiesFor, hasOwnCookies } from "./cookies.ts";
import { isPlaylistPath } from "./playlist-handling.ts";

/** Made anew, or about this relay only. Without `Accept-Encoding`, playlists arrive as text. */
const REPLACED = /^(host|content-length|transfer-encoding|accept-encoding|expect|sec-fetch-.*)$/i;
/** What proxies in front of us have added for us: the client's address, its way here, and who it has logged in as. */
const OF_PROXIES = new RegExp(
  `^(${[
    ...[
      "x-forwarded(-.*)?",
      "forwarded(-.*)?",
      "via",
      "x-real-.*",
      "x-client-ip",
      "x-cluster-client-ip",
      "x-original-.*",
    ],
    ...[
      "x-remote-.*",
      "remote-.*",
      "true-client-ip",
      "cf-.*",
      "cdn-loop",
      "fastly-client-.*",
      "x-envoy-.*",
      "x-proxyuser-.*",
    ],
    ...["x-auth-request-.*", "x-authentik-.*", "x-authelia-.*", "x-webauth-.*", "tailscale-.*"],
  ].join("|")})$`,
  "i",
);
/** They are for one server. */
const CREDENTIALS = /^(authorization|cookie)$/i;
/** A part of a playlist cannot be rewritten (http-proxy.md section 6). */
const RANGES = /^(range|if-range)$/i;

export interface UpstreamRequest {
  readonly method: string;
  /** Whom it is for. */
  readonly url: ProxyUrl;
  /** Another server has sent the client here: what the client has meant for that one must not come along. */
  readonly isRedirected?: boolean | undefined;
  /** The client's. */
  readonly headers: readonly HeaderField[];
  /** Bytes of body that will follow the head. */
  readonly bodyLength: number;
  /** Byte string in place of the client's `User-Agent`; empty counts as none. */
  readonly userAgent?: string | undefined;
  /** Of the list that names the upstream: in place of the client's, and of `userAgent`. */
  readonly prescribed?: readonly HeaderField[] | undefined;
  /** In place of the client's and the prescribed one: what the URL's own user and password make. */
  readonly authorization?: string | undefined;
  /** All is wanted, whatever part the client has asked for. */
  readonly isWhole?: boolean;
  /** The access token of this relay; when there is one, whatever may carry it is cut out of the headers. */
  readonly token?: string | undefined;
}

/** Of the request line; what cannot stand there is percent-encoded. */
export function requestTarget(url: ProxyUrl): string {
  return url.path.replace(/[^!-~]+/g, encoded);
}

/** Headers keep their order and spelling; those without a value are dropped. */
export function emitUpstreamRequest(request: UpstreamRequest): Buffer<ArrayBuffer> {
  const { method, url, bodyLength, userAgent, authorization, isRedirected = false } = request;
  const own: readonly HeaderField[] = authorization === undefined ? [] : [["Authorization", authorization]];
  const prescribed = (request.prescribed ?? [])
    .filter(([name]) => !isRedirected || !CREDENTIALS.test(name))
    .filter(([name]) => headerValue(own, name) === undefined)
    .concat(own);
  const headers: HeaderField[] = [
    ["Host", authorityOf(url)],
    ["Connection", "close"],
  ];
  if (bodyLength > 0) headers.push(["Content-Length", String(bodyLength)]);
  const forwarded = forwardedHeaders(request);
  const cookie = headerValue(forwarded, "cookie");
  headers.push(...forwarded.filter(([name]) => headerValue(prescribed, name) === undefined));
  for (const field of prescribed) headers.push(isNamed(field, "cookie") && cookie ? withCookie(field, cookie) : field);
  if (userAgent && headerValue(prescribed, "user-agent") === undefined) headers.push(["User-Agent", userAgent]);
  return emitMessageHead(`${method} ${requestTarget(url)} HTTP/1.1`, headers);
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

function forwardedHeaders(request: UpstreamRequest): HeaderField[] {
  const { headers, url, userAgent, isRedirected = false, isWhole = false } = request;
  const isPlaylist = isPlaylistPath(url.path);
  const isOfBrowser = isBrowser(headers);
  const isUnwanted = (field: HeaderField) =>
    REPLACED.test(field[0]) ||
    OF_PROXIES.test(field[0]) ||
    ((isPlaylist || isWhole) && RANGES.test(field[0])) ||
    (Boolean(userAgent) && isNamed(field, "user-agent")) ||
    (isRedirected && isNamed(field, "authorization")) ||
    (/^(referer|origin)$/i.test(field[0]) && (isOfBrowser || isOwnPage(field[1], headers)));
  return endToEndHeaders(headers)
    .filter((field) => !isUnwanted(field))
    .map(([name, value]): HeaderField => [name, forUpstream(name, value, request, isOfBrowser || isRedirected)])
    .filter(([, value]) => value !== "");
}

/** Whether a URL is one of this relay, as the client knows it. */
function isOwnPage(url: string, headers: readonly HeaderField[]): boolean {
  const authority = /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1]?.toLowerCase();
  const names = ["host", "x-forwarded-host"].map((name) => headerValue(headers, name)?.toLowerCase());
  return authority !== undefined && names.includes(authority);
}

/** Whether a client sends along what is meant for one server: to the client all servers behind us are one. */
export function hasCredentials(headers: readonly HeaderField[], prescribed: readonly HeaderField[] = []): boolean {
  if (prescribed.some(([name]) => CREDENTIALS.test(name))) return true;
  if (headerValue(headers, "authorization") !== undefined) return true;
  return !isBrowser(headers) && hasOwnCookies(withoutTokenCookie(headerValue(headers, "cookie") ?? ""));
}

/** Empty for a header that must not go. */
function forUpstream(name: string, value: string, request: UpstreamRequest, isOwnOnly: boolean): string {
  const left = withoutTokenIn(name, value, request, isOwnOnly);
  // Where nobody looks for it, too.
  return request.token && holdsSecret(left) ? "" : left;
}

function withoutTokenIn(name: string, value: string, { url, token }: UpstreamRequest, isOwnOnly: boolean): string {
  switch (name.toLowerCase()) {
    case "cookie":
      return cookiesFor(url, token ? withoutTokenCookie(value) : value, isOwnOnly);
    case "user-agent":
      return token ? withoutTokenWord(value) : value;
    case "referer":
      return token ? withoutTokenInUrl(value) : value;
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
