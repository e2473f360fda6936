/** Which URLs of playlists this relay serves, also those that lead through some relay already (m3u.md sections 5.2, 5.3). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";

export interface EntryUrlRules {
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: ByteString;
  /** The schemes that are served; others are left to the player. Each says whether it can serve what stands behind `scheme://`. */
  readonly schemes: ReadonlyMap<string, (rest: ByteString) => boolean>;
}

const SCHEME = /^[a-z]+(?=:\/\/)/i;
/** Most URLs lead through no relay, which this finds out at less expense. */
const PERHAPS_WRAPPED = /^https?:\/\/.*\/[a-z]+\//is;
const WRAPPED = /^https?:\/\/(?:\[[^\]/]+\]|[^/?#[\]]+?)(?::\d*)?(\/.*)$/is;
const SCHEME_AS_FOLDER = /^\/([a-z]+)\/(.*)$/is;

/** The URL of the upstream, its scheme in lower case; undefined for what is none of ours. It may still be wrong. */
export function recogniseUrl(url: ByteString, rules: EntryUrlRules): ByteString | undefined {
  const upstream = unwrapped(url, rules);
  const scheme = schemeOf(upstream);
  return rules.schemes.has(scheme) ? asByteString(scheme + upstream.slice(scheme.length)) : undefined;
}

/** In lower case; empty when there is none. */
export function schemeOf(url: string): string {
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
