/** Which URLs of playlists this relay serves, also those that lead through some relay already (m3u.md sections 5.2, 5.3). */
import { asByteString, type ByteString, utf8Encode } from "../wire/text/byte-string.ts";
import { percentEncode } from "../wire/url/percent.ts";
import { hasScheme, resolveReference } from "../wire/url/reference.ts";

export interface EntryUrlRules {
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: ByteString;
  /** Paths of our own pages, which no channel can have: without `/` in front; one that ends in `/` stands for all below it. */
  readonly reserved?: readonly string[];
  /** The schemes that are served; others are left to the player. Each says whether it can serve what stands behind `scheme://`. */
  readonly schemes: ReadonlyMap<string, (rest: ByteString) => boolean>;
}

const SCHEME = /^[a-z][a-z0-9+.-]{0,20}(?=:\/\/)/i;
/** Most URLs lead through no relay, which this finds out at less expense. */
const PERHAPS_WRAPPED = /^https?:\/\/.*\/[a-z]+\//is;
const WRAPPED = /^https?:\/\/(?:\[[^\]/]+\]|[^/?#[\]]+?)(?::\d*)?(\/.*)$/is;
const SCHEME_AS_FOLDER = /^\/([a-z]+)\/(.*)$/is;

const FILE = /^file:/i;
const ORIGIN = /^[a-z]+:\/\/[^/?#]*/i;
const NOT_ASCII = /[\x80-\xff]+/g;

/** The absolute URL. */
export function resolved(url: ByteString, base: string): ByteString {
  return hasScheme(url) ? url : asByteString(resolveReference(utf8Encode(base), url));
}

/** As an upstream is asked: absolute, with what is not ASCII percent-encoded behind the host, and without fragment. */
export function requestedUrl(url: ByteString, base: string | undefined): ByteString {
  const absolute = base === undefined || FILE.test(base) ? url : resolved(url, base);
  const [sent] = absolute.split("#", 1);
  const host = ORIGIN.exec(sent!)?.[0].length ?? 0;
  return asByteString(sent!.slice(0, host) + sent!.slice(host).replace(NOT_ASCII, percentEncodeBytes));
}

/** Why an entry is left to the player, for the log; empty for one that is relayed. */
export function whyUnrelayed(url: ByteString, rules: EntryUrlRules): string {
  const upstream = recogniseUrl(url, rules);
  if (upstream !== undefined)
    return isServable(upstream, rules) ? "" : `with a ${schemeOf(upstream)} URL that cannot be served`;
  const scheme = schemeOf(url);
  if (scheme === "") return "without an absolute URL";
  return scheme === "https" ? "with https (proxy-https would relay them)" : `with ${scheme}, which is not known`;
}

function percentEncodeBytes(bytes: string): string {
  return percentEncode(asByteString(bytes));
}

/** The URL of the upstream, its scheme in lower case; undefined for what is none of ours. It may still be wrong. */
export function recogniseUrl(url: ByteString, rules: EntryUrlRules): ByteString | undefined {
  const upstream = unwrapped(url, rules);
  const scheme = schemeOf(upstream);
  return rules.schemes.has(scheme) ? asByteString(scheme + upstream.slice(scheme.length)) : undefined;
}

/** In lower case; empty when there is none. */
function schemeOf(url: string): string {
  return SCHEME.exec(url)?.[0].toLowerCase() ?? "";
}

/** Without the relay that the URL leads through. */
function unwrapped(url: ByteString, { appPathPrefix, schemes }: EntryUrlRules): ByteString {
  const path = PERHAPS_WRAPPED.test(url) ? WRAPPED.exec(url)?.[1] : undefined;
  if (path === undefined) return url;
  const hasPrefix = appPathPrefix !== "" && path.startsWith(`${appPathPrefix}/`);
  const [, folder = "", rest] = SCHEME_AS_FOLDER.exec(hasPrefix ? path.slice(appPathPrefix.length) : path) ?? [];
  const scheme = folder.toLowerCase();
  return schemes.has(scheme) ? asByteString(`${scheme}://${rest}`) : url;
}

/** Whether a recognised URL without label can be served. Names are not resolved: that may take time, and change. */
export function isServable(url: ByteString, { schemes }: EntryUrlRules): boolean {
  const scheme = schemeOf(url);
  return schemes.get(scheme)?.(url.slice(scheme.length + "://".length)) ?? false;
}
