/** URLs of the HTTP proxy, `/http/host[:port][/path][?query]` (http-proxy.md section 1). */
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { formatAuthority, parseAuthority } from "./authority.ts";
import { asciiHost } from "./idn.ts";

/** Path and query together. */
const MAX_PATH_BYTES = 2047;

export type ProxyScheme = "http" | "https";

/** Passwords may hold an `@` that should have been encoded; no host does. */
const USERINFO = /^(.*)@([^@]*)$/s;
/** Of a player that encodes what stands in a path. */
const ENCODED_USERINFO = /^(.*)%40(.*)$/s;

const DEFAULT_PORTS: Readonly<Record<ProxyScheme, number>> = { http: 80, https: 443 };

export interface ProxyUrl {
  readonly scheme: ProxyScheme;
  /** As the URL has it, `user:password` in percent-encoding; never empty. */
  readonly userinfo?: string | undefined;
  /** Without brackets; a name in other letters than ASCII as it is asked for (`xn--…`). */
  readonly host: string;
  readonly port: number;
  /** Begins with `/`, holds the query too, no fragment; otherwise byte for byte what the client sent. */
  readonly path: string;
}

type ProxyUrlOutcome =
  | { readonly kind: "url"; readonly url: ProxyUrl }
  /** 404: no host. 503: a host or port that cannot be, or a path too long. */
  | { readonly kind: "error"; readonly status: 404 | 503 };

/** @param rest what follows `/http/` or `/https/` in a request target, or `http://` in a configured URL */
export function parseProxyUrl(rest: string, scheme: ProxyScheme = "http"): ProxyUrlOutcome {
  const hash = rest.indexOf("#");
  if (hash >= 0) return parseProxyUrl(rest.slice(0, hash), scheme);
  const end = rest.search(/[/?]/);
  const before = end < 0 ? rest : rest.slice(0, end);
  const tail = end < 0 ? "" : rest.slice(end);
  const [, userinfo, text = before] = USERINFO.exec(before) ?? ENCODED_USERINFO.exec(before) ?? [];
  if (/^(:\d*)?$/.test(text)) return { kind: "error", status: 404 };
  const ascii = asciiHost(text);
  const authority = ascii === undefined ? undefined : parseAuthority(ascii);
  const path = tail.startsWith("/") ? tail : `/${tail}`;
  if (!authority || path.length > MAX_PATH_BYTES) return { kind: "error", status: 503 };
  const { host, port = DEFAULT_PORTS[scheme] } = authority;
  return { kind: "url", url: { scheme, host, port, path, ...(userinfo && { userinfo }) } };
}

/** The value of `Host`: the port is left out when it is the scheme's own, an IPv6 address stands in brackets. */
export function authorityOf({ scheme, host, port }: ProxyUrl): string {
  return formatAuthority({ host, port: port === DEFAULT_PORTS[scheme] ? undefined : port });
}

/** The absolute URL without user and password, against which the references of a response are resolved. */
export function formatProxyUrl(url: ProxyUrl): string {
  return `${url.scheme}://${authorityOf(url)}${url.path}`;
}

interface PartedQuery {
  /** The URL without the taken parameters; its other bytes unchanged. */
  readonly url: ByteString;
  /** The taken parameters in their order, as a query that `queryParameter` reads. */
  readonly taken: ByteString;
}

/**
 * Takes every parameter with one of these names out of a URL's query, those without a value too.
 * @param url a path or an absolute URL
 * @param names lower case; the URL's names are compared without regard to case
 */
export function takeParameters(url: ByteString, names: readonly string[]): PartedQuery {
  const mark = url.indexOf("?");
  if (mark < 0) return { url, taken: asByteString("") };
  const kept: string[] = [];
  const taken: string[] = [];
  for (const parameter of url.slice(mark + 1).split("&")) {
    const name = parameter.split("=", 1)[0]!.toLowerCase();
    (names.includes(name) ? taken : kept).push(parameter);
  }
  if (taken.length === 0) return { url, taken: asByteString("") };
  const query = kept.length === 0 ? "" : `?${kept.join("&")}`;
  return { url: asByteString(url.slice(0, mark) + query), taken: asByteString(taken.join("&")) };
}
