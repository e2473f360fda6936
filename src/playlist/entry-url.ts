/** Which URLs of playlists this relay serves, also those that lead through some relay already (m3u.md sections 5.2, 5.3). */
import { percentDecode } from "../wire/percent.ts";
import { parseProxyUrl } from "../wire/proxy-url.ts";
import { parseRtspUrl } from "../wire/rtsp-url.ts";
import { queryParameter } from "../wire/url-query.ts";

export interface EntryUrlRules {
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: string;
  /** `proxy-https`: `https://` URLs are served by the HTTP proxy; otherwise they are left to the player. */
  readonly proxyHttps?: boolean;
  /** Whether the multicast upstream can read this address part of a URL, percent-decoded: `[source@]group[:port][/]`. */
  readonly isMulticast: (address: string) => boolean;
}

const RECOGNISED = /^(rtp|udp|rtsp|https?):\/\/(.*)$/s;
const WRAPPED = /^https?:\/\/(?:\[[^\]/]+\]|[^/?#[\]]+?)(?::\d*)?(\/.*)$/s;
const PROTOCOL = /^\/(rtp|udp|rtsp|https?)\/(.*)$/is;

/** The URL of the upstream; undefined for what is none of ours. It may still be wrong. */
export function recogniseUrl(url: string, rules: EntryUrlRules): string | undefined {
  const upstream = unwrapped(url, rules);
  return isProtocolOfOurs(RECOGNISED.exec(upstream)?.[1], rules) ? upstream : undefined;
}

function isProtocolOfOurs(protocol: string | undefined, { proxyHttps }: EntryUrlRules): protocol is string {
  return protocol !== undefined && (protocol !== "https" || proxyHttps === true);
}

/** Without the relay that the URL leads through. */
function unwrapped(url: string, rules: EntryUrlRules): string {
  const { appPathPrefix } = rules;
  const path = WRAPPED.exec(url)?.[1];
  if (path !== undefined) {
    const hasPrefix = appPathPrefix !== "" && path.startsWith(`${appPathPrefix}/`);
    const [, protocol, rest] = PROTOCOL.exec(hasPrefix ? path.slice(appPathPrefix.length) : path) ?? [];
    const scheme = protocol?.toLowerCase();
    if (isProtocolOfOurs(scheme, rules)) return `${scheme}://${rest}`;
  }
  return url;
}

/** Whether a recognised URL without label can be served. Names are not resolved: that may take time, and change. */
export function isServable(url: string, rules: EntryUrlRules): boolean {
  const [, protocol, rest = ""] = RECOGNISED.exec(url) ?? [];
  if (protocol === "http" || protocol === "https") return parseProxyUrl(rest, protocol).kind === "url";
  if (protocol === "rtsp") return parseRtspUrl(rest).kind === "url";
  const mark = rest.indexOf("?");
  const address = percentDecode(mark < 0 ? rest : rest.slice(0, mark));
  // Present but empty, it is refused (http.md section 10).
  const hasBadFcc = mark >= 0 && queryParameter(rest.slice(mark + 1), "fcc") === "";
  return address !== undefined && !hasBadFcc && rules.isMulticast(address);
}
