/** Which URLs of playlists this relay serves, also those that lead through some relay already (m3u.md sections 5.2, 5.3). */
import { percentDecode } from "../wire/percent.ts";
import { parseProxyUrl } from "../wire/proxy-url.ts";
import { parseRtspUrl } from "../wire/rtsp-url.ts";
import { queryParameter } from "../wire/url-query.ts";

export interface EntryUrlRules {
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: string;
  /** Whether the multicast upstream can read this address part of a URL, percent-decoded: `[source@]group[:port][/]`. */
  readonly isMulticast: (address: string) => boolean;
}

const RECOGNISED = /^(rtp|udp|rtsp|http):\/\/(.*)$/s;
const WRAPPED = /^https?:\/\/(?:\[[^\]/]+\]|[^/?#[\]]+?)(?::\d*)?(\/.*)$/s;
const PROTOCOL = /^\/(rtp|udp|rtsp|http)\/(.*)$/is;

/** The URL of the upstream; undefined for what is none of ours, such as `https://`. It may still be wrong. */
export function recogniseUrl(url: string, { appPathPrefix }: EntryUrlRules): string | undefined {
  const path = WRAPPED.exec(url)?.[1];
  if (path !== undefined) {
    const hasPrefix = appPathPrefix !== "" && path.startsWith(`${appPathPrefix}/`);
    const [, protocol, rest] = PROTOCOL.exec(hasPrefix ? path.slice(appPathPrefix.length) : path) ?? [];
    if (protocol !== undefined) return `${protocol.toLowerCase()}://${rest}`;
  }
  return RECOGNISED.test(url) ? url : undefined;
}

/** Whether a recognised URL without label can be served. Names are not resolved: that may take time, and change. */
export function isServable(url: string, rules: EntryUrlRules): boolean {
  const [, protocol, rest = ""] = RECOGNISED.exec(url) ?? [];
  if (protocol === "http") return parseProxyUrl(rest).kind === "url";
  if (protocol === "rtsp") return parseRtspUrl(rest).kind === "url";
  const mark = rest.indexOf("?");
  const address = percentDecode(mark < 0 ? rest : rest.slice(0, mark));
  // Present but empty, it is refused (http.md section 10).
  const hasBadFcc = mark >= 0 && queryParameter(rest.slice(mark + 1), "fcc") === "";
  return address !== undefined && !hasBadFcc && rules.isMulticast(address);
}
