/** The playlist of the demo: its channels with names, groups, logos, and a guide (m3u.md). */

import { type DemoChannel, HTTP_CHANNEL, MULTICAST_CHANNELS, RTSP_CHANNEL } from "./channels.ts";
import { guideId, PAST_HOURS } from "./guide.ts";

/** Where the sources of the demo are; without a query. */
export interface DemoUrls {
  readonly rtsp: string;
  readonly http: string;
  readonly guide: string;
}

/** The demo's sources are there whatever interface the relay uses otherwise. */
const ON_LOOPBACK = "r2h-ifname=lo";
const SEEK = "playseek={utc:YmdHMS}-{utcend:YmdHMS}";
const PLAIN_GROUP = "Multicast";
const CATCHUP_GROUP = "With catch-up";
const LOGO_COLOURS = ["#2b8fb3", "#c98a2b", "#3f9a57", "#a8518f", "#7d9a2b"];
const HOURS_PER_DAY = 24;

/** Lines that end in `\n`. */
export function demoPlaylist(urls: DemoUrls): string {
  const { rtsp, http, guide } = urls;
  const upstreams = upstreamUrls(urls);
  const extinfs = [
    ...MULTICAST_CHANNELS.map((channel) => extinf(channel, PLAIN_GROUP)),
    extinf(RTSP_CHANNEL, CATCHUP_GROUP, catchup(rtsp)),
    extinf(HTTP_CHANNEL, CATCHUP_GROUP, catchup(http)),
  ];
  return [`#EXTM3U x-tvg-url="${guide}"`, ...extinfs.map((line, i) => `${line}\n${upstreams[i]!.url}`), ""].join("\n");
}

/** What the relay is to relay, in the order of the channels. */
export function upstreamUrls({ rtsp, http }: DemoUrls): { readonly name: string; readonly url: string }[] {
  return [
    ...MULTICAST_CHANNELS.map(({ name, group, port }) => ({ name, url: `rtp://${group}:${port}?${ON_LOOPBACK}` })),
    { name: RTSP_CHANNEL.name, url: `${rtsp}?${ON_LOOPBACK}` },
    { name: HTTP_CHANNEL.name, url: `${http}?${ON_LOOPBACK}` },
  ];
}

function catchup(url: string): string {
  const days = PAST_HOURS / HOURS_PER_DAY;
  return ` catchup="default" catchup-days="${days}" catchup-source="${url}?${SEEK}&${ON_LOOPBACK}"`;
}

function extinf(channel: DemoChannel, group: string, more = ""): string {
  const { number, name } = channel;
  const logo = `data:image/svg+xml;base64,${btoa(logoSvg(channel))}`;
  return `#EXTINF:-1 tvg-id="${guideId(channel)}" tvg-chno="${number}" tvg-logo="${logo}" group-title="${group}"${more},${name}`;
}

function logoSvg({ number }: DemoChannel): string {
  const colour = LOGO_COLOURS[(number - 1) % LOGO_COLOURS.length];
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">' +
    `<rect width="64" height="64" rx="14" fill="${colour}"/>` +
    '<path d="M8 46q8-7 16 0t16 0 16 0" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".6"/>' +
    `<text x="32" y="37" font-family="sans-serif" font-size="30" font-weight="700" fill="#fff" text-anchor="middle">${number}</text></svg>`
  );
}
