/** Which URLs of playlists this relay serves, also those that lead through some relay already (m3u.md sections 5.2, 5.3). */

import { parseRtspUrl } from "../wire/rtsp/url.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import { parseProxyUrl } from "../wire/url/proxy-url.ts";
import { queryParameter } from "../wire/url/query.ts";

export interface EntryUrlRules {
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: ByteString;
  /** `proxy-https`: `https://` URLs are served by the HTTP proxy; otherwise they are left to the player. */
  readonly proxyHttps?: boolean;
  /** Whether the multicast upstream can read this address part of a URL, percent-decoded: `[source@]group[:port][/]`. */
  readonly isMulticast: (address: ByteString) => boolean;
}

const SCHEME = /^(?:rtp|udp|rtsp|https?)(?=:\/\/)/;
/** Most URLs lead through no relay, which this finds out at less expense. */
const PERHAPS_WRAPPED = /^https?:.*\/(?:rtp|udp|rtsp|https?)\//is;
const WRAPPED = /^https?:\/\/(?:\[[^\]/]+\]|[^/?#[\]]+?)(?::\d*)?(\/.*)$/s;
const PROTOCOL = /^\/(rtp|udp|rtsp|https?)\/(.*)$/is;

/** The URL of the upstream; undefined for what is none of ours. It may still be wrong. */
export function recogniseUrl(url: ByteString, rules: EntryUrlRules): ByteString | undefined {
  const upstream = unwrapped(url, rules);
  return isProtocolOfOurs(schemeOf(upstream), rules) ? upstream : undefined;
}

function schemeOf(url: string): string | undefined {
  return SCHEME.exec(url)?.[0];
}

function isProtocolOfOurs(protocol: string | undefined, { proxyHttps }: EntryUrlRules): protocol is string {
  return protocol !== undefined && (protocol !== "https" || proxyHttps === true);
}

/** Without the relay that the URL leads through. */
function unwrapped(url: ByteString, rules: EntryUrlRules): ByteString {
  const { appPathPrefix } = rules;
  const path = PERHAPS_WRAPPED.test(url) ? WRAPPED.exec(url)?.[1] : undefined;
  if (path !== undefined) {
    const hasPrefix = appPathPrefix !== "" && path.startsWith(`${appPathPrefix}/`);
    const [, protocol, rest] = PROTOCOL.exec(hasPrefix ? path.slice(appPathPrefix.length) : path) ?? [];
    const scheme = protocol?.toLowerCase();
    if (isProtocolOfOurs(scheme, rules)) return asByteString(`${scheme}://${rest}`);
  }
  return url;
}

/** Whether a recognised URL without label can be served. Names are not resolved: that may take time, and change. */
export function isServable(url: ByteString, rules: EntryUrlRules): boolean {
  const protocol = schemeOf(url);
  if (protocol === undefined) return false;
  const rest = url.slice(protocol.length + "://".length);
  if (protocol === "http" || protocol === "https") return parseProxyUrl(rest, protocol).kind === "url";
  if (protocol === "rtsp") return parseRtspUrl(rest).kind === "url";
  const mark = rest.indexOf("?");
  const address = percentDecode(mark < 0 ? rest : rest.slice(0, mark));
  // Present but empty, it is refused (http.md section 10).
  const hasBadFcc = mark >= 0 && queryParameter(rest.slice(mark + 1), "fcc") === "";
  return address !== undefined && !hasBadFcc && rules.isMulticast(address);
}
