/** The playlist of the demo: its channels with names, groups, logos, and a guide (m3u.md). */

import { percentEncodeText } from "../wire/url/percent.ts";
import {
  type DemoChannel,
  HTTP_CHANNEL,
  MULTICAST_CHANNELS,
  type MulticastChannel,
  PROTECTED_CHANNEL,
  RTSP_CHANNEL,
} from "./channels.ts";
import { guideId, PAST_HOURS } from "./guide.ts";

/** Where the sources of the demo are; URLs without a query. */
export interface DemoUrls {
  readonly rtsp: string;
  readonly http: string;
  readonly guide: string;
  /** Address and port. */
  readonly fccServer: string;
}

/** The demo's sources are there whatever interface the relay uses otherwise. */
const ON_LOOPBACK = "r2h-ifname=lo";
const SEEK = "playseek={utc:YmdHMS}-{utcend:YmdHMS}";
const PLAIN_GROUP = "Multicast";
const CATCHUP_GROUP = "With catch-up";
const PROTECTED_GROUP = "With FCC and FEC";
const LOGO_COLOURS = ["#2b8fb3", "#c98a2b", "#3f9a57", "#a8518f", "#7d9a2b", "#c2564a"];
const HOURS_PER_DAY = 24;

/** Lines that end in `\n`. */
export function demoPlaylist({ rtsp, http, guide, fccServer }: DemoUrls): string {
  return [
    `#EXTM3U x-tvg-url="${guide}"`,
    ...MULTICAST_CHANNELS.flatMap((channel) => [extinf(channel, PLAIN_GROUP), groupUrl(channel)]),
    extinf(RTSP_CHANNEL, CATCHUP_GROUP, catchup(rtsp)),
    `${rtsp}?${ON_LOOPBACK}`,
    extinf(HTTP_CHANNEL, CATCHUP_GROUP, catchup(http)),
    `${http}?${ON_LOOPBACK}`,
    extinf(PROTECTED_CHANNEL, PROTECTED_GROUP),
    `${groupUrl(PROTECTED_CHANNEL)}&fcc=${fccServer}&fec=${PROTECTED_CHANNEL.parityPort}`,
    "",
  ].join("\n");
}

/** Under which path the relay serves each channel (m3u.md section 5.4). */
export function channelPaths(): { readonly name: string; readonly path: string }[] {
  const below = (group: string) => (channel: DemoChannel) => ({
    name: channel.name,
    path: `/${percentEncodeText(`${group}/${channel.name}`)}`,
  });
  return [
    ...MULTICAST_CHANNELS.map(below(PLAIN_GROUP)),
    ...[RTSP_CHANNEL, HTTP_CHANNEL].map(below(CATCHUP_GROUP)),
    below(PROTECTED_GROUP)(PROTECTED_CHANNEL),
  ];
}

function groupUrl({ group, port }: MulticastChannel): string {
  return `rtp://${group}:${port}?${ON_LOOPBACK}`;
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
