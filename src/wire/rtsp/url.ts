/** URLs of RTSP as byte strings: the one that is asked for, those of tracks, and redirects (rtsp.md sections 1, 4 and 5.3). */
import type { Credentials } from "../http/digest.ts";
import { asByteString } from "../text/byte-string.ts";
import { formatAuthority, parseAuthority } from "../url/authority.ts";
import { percentDecode, percentEncodeText } from "../url/percent.ts";
import { hasScheme, resolveReference } from "../url/reference.ts";

const DEFAULT_RTSP_PORT = 554;
const MAX_RTSP_URL_BYTES = 2047;
/** User and password, each, decoded. */
const MAX_CREDENTIAL_BYTES = 127;

const SCHEME = "rtsp://";
/** What would end a URL early in a request line. */
const UNSAFE = /[^!-~\x80-\xff]+/g;

export interface RtspUrl {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** Begins with `/`, holds the query too. */
  readonly path: string;
  /** Undefined when the URL names no user. */
  readonly credentials: Credentials | undefined;
}

type RtspUrlOutcome =
  | { readonly kind: "url"; readonly url: RtspUrl }
  /** 404: nothing there. 503: a host, port or user that cannot be, or a URL too long. */
  | { readonly kind: "error"; readonly status: 404 | 503 };

/** @param rest what follows `rtsp://` in a URL, or `/rtsp/` in a request target */
export function parseRtspUrl(rest: string): RtspUrlOutcome {
  if (rest === "") return { kind: "error", status: 404 };
  const url = rest.length + SCHEME.length <= MAX_RTSP_URL_BYTES ? readUrl(rest) : undefined;
  return url ? { kind: "url", url } : { kind: "error", status: 503 };
}

/** The URL of the request line: without credentials, without the default port. */
export function formatRtspUrl({ host, port, path }: RtspUrl): string {
  return SCHEME + formatAuthority({ host, port: port === DEFAULT_RTSP_PORT ? undefined : port }) + path;
}

/**
 * Where a redirect leads; undefined unless `location` is an absolute `rtsp://` URL. The user goes along to the same server, when it names
 * none: another one must not get the password.
 */
export function followRedirect(location: string, from: RtspUrl): RtspUrl | undefined {
  const outcome = isAbsolute(location) ? parseRtspUrl(location.slice(SCHEME.length)) : undefined;
  if (outcome?.kind !== "url") return undefined;
  const { url } = outcome;
  const isSameServer = url.host.toLowerCase() === from.host.toLowerCase() && url.port === from.port;
  return { ...url, credentials: url.credentials ?? (isSameServer ? from.credentials : undefined) };
}

/** What the URLs of a session are made of (RFC 2326 appendix C.1.1). */
export interface ControlBases {
  /** Of DESCRIBE, as `formatRtspUrl` makes it. */
  readonly requestUrl: string;
  /** `Content-Base` of its answer, else `Content-Location`; one that is no `rtsp://` URL is no base. */
  readonly contentBase: string | undefined;
  /** `a=control` of the session. */
  readonly session: string | undefined;
}

/**
 * URLs for SETUP, in the order in which to try them: by RFC 3986 section 5.2, where a base's query counts for nothing, and its path
 * up to the last `/`; then with the name put behind the base, as players do and many servers want it.
 * @param control of the first medium
 */
export function trackUrls(bases: ControlBases, control: string | undefined): string[] {
  if (!control || control === "*") return aggregateUrls(bases);
  const { requestUrl } = bases;
  const base = baseOf(bases);
  const session = sessionUrl(bases);
  if (isAbsolute(control)) return tried([control, withAuthorityOf(requestUrl, control), requestUrl]);
  return tried([
    resolved(base, control),
    appended(base, control),
    session && appended(session, control),
    appended(requestUrl, control),
    requestUrl,
  ]);
}

/** URLs for PLAY, in the order in which to try them. */
export function aggregateUrls(bases: ControlBases): string[] {
  return tried([bases.requestUrl, sessionUrl(bases), baseOf(bases)]);
}

function baseOf({ requestUrl, contentBase }: ControlBases): string {
  return isAbsolute(contentBase) ? contentBase : requestUrl;
}

function sessionUrl(bases: ControlBases): string | undefined {
  const { session } = bases;
  return session && session !== "*" ? resolved(baseOf(bases), session) : undefined;
}

function resolved(base: string, control: string): string {
  // `track:1` is a name, although it looks like a scheme (RFC 3986 section 4.2).
  const reference = hasScheme(control) && !isAbsolute(control) ? `./${control}` : control;
  return resolveReference(base, reference);
}

/** Behind the query too, if the base has one. */
function appended(base: string, control: string): string {
  return /^[?]/.test(control) ? base + control : `${base.replace(/\/$/, "")}/${control.replace(/^\//, "")}`;
}

/** A server behind a NAT names the address that it knows itself by. */
function withAuthorityOf(requestUrl: string, control: string): string {
  return requestUrl.slice(0, pathStart(requestUrl)) + control.slice(pathStart(control));
}

function pathStart(url: string): number {
  const at = url.slice(SCHEME.length).search(/[/?]/);
  return at < 0 ? url.length : SCHEME.length + at;
}

/** Each once, as it may stand in a request line; too long ones are left out. */
function tried(urls: readonly (string | undefined)[]): string[] {
  const safe = urls.flatMap((url) => (url ? [url.replace(UNSAFE, percentEncodeText)] : []));
  return [...new Set(safe)].filter((url, i) => i === 0 || url.length <= MAX_RTSP_URL_BYTES);
}

function isAbsolute(url: string | undefined): url is string {
  return url !== undefined && /^rtsp:\/\/[^/?#]/i.test(url);
}

function readUrl(rest: string): RtspUrl | undefined {
  const end = rest.search(/[/?]/);
  const authorityText = end < 0 ? rest : rest.slice(0, end);
  const tail = end < 0 ? "" : rest.slice(end).replace(UNSAFE, percentEncodeText);
  const at = authorityText.lastIndexOf("@");
  const authority = parseAuthority(authorityText.slice(at + 1));
  const credentials = parseCredentials(authorityText.slice(0, Math.max(at, 0)));
  if (!authority || credentials === "invalid") return undefined;
  const { host, port = DEFAULT_RTSP_PORT } = authority;
  return { host, port, path: tail.startsWith("/") ? tail : `/${tail}`, credentials };
}

function parseCredentials(text: string): Credentials | undefined | "invalid" {
  const [, userText = "", passwordText = ""] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
  const user = percentDecode(asByteString(userText));
  const password = percentDecode(asByteString(passwordText));
  if (user === undefined || password === undefined) return "invalid";
  if (user.length > MAX_CREDENTIAL_BYTES || password.length > MAX_CREDENTIAL_BYTES) return "invalid";
  return user === "" ? undefined : { user, password };
}
