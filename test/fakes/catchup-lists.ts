// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
/** Entries with archives, as lists have them; which players understand their words. */
import { aptv, type CatchupPlayer, kodi, ottNavigator, rtp2httpdPage, tivimate } from "./catchup-player.ts";

const WORLD = [kodi, ottNavigator, tivimate];
const CHINA = [aptv, rtp2httpdPage];
const ALL = [...WORLD, rtp2httpdPage];
/** OTT Navigator has another word for now. */
const LUTC = [kodi, tivimate, rtp2httpdPage];

export interface CatchupCase {
  readonly attributes: string;
  /** Of the channel; begins with `/`, on the archive's server. */
  readonly path: string;
  readonly players: readonly CatchupPlayer[];
}

const CASES: readonly [attributes: string, path: string, players: readonly CatchupPlayer[]][] = [
  // Plain instants.
  ['catchup="append" catchup-source="?utc={utc}&lutc={lutc}"', "/ch/a/mono.m3u8", LUTC],
  ['catchup="append" catchup-source="?utc=${start}&lutc=${timestamp}"', "/ch/b/mono.m3u8", WORLD],
  ['catchup="append" catchup-source="&utc={utc}&lutc={lutc}"', "/ch/c/mono.m3u8?token=t1", LUTC],
  ['catchup="default" catchup-source="ORIGIN/ch/d/video-{utc}-{duration}.m3u8?token=t1"', "/ch/d?token=t1", [kodi]],
  ['catchup="default" catchup-source="ORIGIN/ch/d/video-${start}-${duration}.m3u8"', "/ch/d", [ottNavigator, tivimate]],
  ['catchup="default" catchup-source="ORIGIN/ch/e/timeshift_abs-${start}.ts"', "/ch/e/mpegts", ALL],
  ['catchup="default" catchup-source="ORIGIN/c.m3u8?channel=f&start={utc}&end={utcend}&token=t"', "/f?channel=f", ALL],
  ['catchup="append" catchup-source="?starttime=${(b)timestamp}&endtime=${(e)timestamp}"', "/ch/g/index.m3u8", CHINA],
  ['catchup="append" catchup-source="?at={utc}/{utcend},{lutc};{utcend}_{utc}"', "/ch/g2", LUTC],
  ['catchup="append" catchup-source="?s={utc}&now={current_utc}"', "/ch/g3", [ottNavigator]],
  ['catchup="append" catchup-source="?timeshift=${start}&timenow=${now}"', "/ch/g4", [kodi, tivimate, rtp2httpdPage]],
  ['catchup="append" catchup-source="/archive-${start}-${end}.m3u8"', "/ch/g5", ALL],
  ['catchup="append" catchup-source="-${start}.ts"', "/ch/g6/video", ALL],
  ['catchup-type="append" catchup-source="?utc={utc}"', "/t/1", ALL],
  ['catchup="Append" catchup-source="?utc={utc}"', "/t/2", ALL],
  // Spans.
  ['catchup="append" catchup-source="?offset={offset:60}"', "/ch/o1", [kodi]],
  ['catchup="append" catchup-source="?offset=${offset}&len=${durmin}"', "/ch/o2", [ottNavigator]],
  [
    'catchup="default" catchup-source="ORIGIN/ch/e/timeshift_rel-{offset:1}.m3u8?token=t"',
    "/ch/e/index.m3u8?token=t",
    [kodi],
  ],
  ['catchup="default" catchup-source="ORIGIN/x/{duration:60}/{duration}/{duration:3600}.ts"', "/ch/o4", [kodi]],
  // Dates.
  ['catchup="append" catchup-source="?cutv={Y}-{m}-{d}T{H}:{M}:{S}"', "/ch/k1", [kodi, tivimate, rtp2httpdPage]],
  ['catchup="append" catchup-source="?t={Y}-{m}-{d}-{H}-{M}-{S}"', "/ch/k2", [kodi, tivimate, rtp2httpdPage]],
  ['catchup="append" catchup-source="?start={utc:YmdHM}&end=${end:YmdHM}"', "/ch/k3", [kodi]],
  ['catchup="append" catchup-source="?start={utc:Ymd-H-M}&end=${end:Ymd-H-M}"', "/ch/k4", [kodi]],
  ['catchup="append" catchup-source="?s={utc:Y}/{utc:m}/{utc:d}&now={lutc:H:M}"', "/ch/k5", [kodi, rtp2httpdPage]],
  ['catchup="append" catchup-source="?a={utc:YmdHMS}&e={utcend:YmdHMS}"', "/ch/k6", [kodi, ...CHINA]],
  [
    'catchup="append" catchup-source="?s=${start-year}-${start-mon}-${start-day}T${start-hour}:${start-min}:${start-sec}Z&e=${end-hour}${end-min}"',
    "/ch/k7",
    [ottNavigator],
  ],
  [
    'catchup="default" catchup-source="ORIGIN/timeshift/u/p/{duration:60}/{Y}-{m}-{d}:{H}-{M}/1477.ts"',
    "/u/p/1477",
    [kodi],
  ],
  ['catchup="append" catchup-source="?begin=${(b)yyyyMMddHHmmss:utc}&end=${(e)yyyyMMddHHmmss:utc}"', "/ch/a1", [aptv]],
  [
    'catchup="append" catchup-source="?playbackbegin=${(b)yyyyMMddHHmmss}&playbackend=${(e)yyyyMMddHHmmss}"',
    "/ch/a2",
    CHINA,
  ],
  ['catchup="append" catchup-source="?from=${(b)yyyyMMdd}T${(b)HHmmss}_${(e)yyyyMMdd}T${(e)HHmm}"', "/ch/a3", CHINA],
  [
    'catchup="default" catchup-source="ORIGIN/a/${(b)yyyyMMdd|UTC}/${(b)HHmmss|UTC}-${(e)HHmmss|UTC}.ts"',
    "/ch/a4",
    [rtp2httpdPage],
  ],
  // A seek parameter is passed on as it comes.
  ['catchup="append" catchup-source="?playseek=${(b)yyyyMMddHHmmss}-${(e)yyyyMMddHHmmss}"', "/ch/s1", CHINA],
  ['catchup="append" catchup-source="?playseek=${(b)yyyyMMddHHmmss:utc}-${(e)yyyyMMddHHmmss:utc}"', "/ch/s2", [aptv]],
  ['catchup="append" catchup-source="&playseek={utc:YmdHMS}-{utcend:YmdHMS}"', "/ch/s3?a=1", [kodi, ...CHINA]],
  ['catchup="append" catchup-source="?playseek={utc}-{utcend}"', "/ch/s4", ALL],
  ['catchup="append" catchup-source="?tvdr={utc:YmdHM}_{utcend:YmdHM}"', "/ch/s5", [kodi, aptv]],
  ['catchup="append" catchup-source="?playseek={utc:YmdHM}-{utcend:YmdHM}"', "/ch/s6", [kodi]],
  ['catchup="append" catchup-source="?len={duration}&playseek={utc:YmdHM}-{utcend:YmdHM}"', "/ch/s7", [kodi]],
  ['catchup="append" catchup-source="?at={utc}&d={Y}&playseek={utc}"', "/ch/s8", [kodi, rtp2httpdPage]],
  // What only the guide knows.
  ['catchup="vod" catchup-source="ORIGIN/vod/{catchup-id}.m3u8"', "/ch/v1", [kodi]],
  ['catchup="vod" catchup-source="ORIGIN/vod.m3u8?id={catchup-id}&from={utc:YmdHMS}"', "/ch/v2", [kodi]],
  ['catchup="append" catchup-source="?extra={catchup-id}"', "/ch/v3", [kodi]],
  // Words of other players.
  ['catchup="append" catchup-source="?tvdr={GMT:YmdHMS}GMT-{GMTend:YmdHMS}GMT"', "/ch/u1", ALL],
  ['catchup="append" catchup-source="?utc=$utc&duration=3600"', "/ch/u2", ALL],
  ['catchup="append" catchup-source="&utc={utc}&key=${token}"', "/ch/u3?a=1", ALL],
  ['catchup="default" catchup-source="ORIGIN/u4?utc={utc}&key={key}"', "/ch/u4", ALL],
  // Made from the channel's own URL.
  ['catchup="shift" catchup-days="7"', "/s/325/index.m3u8?token=secret", [kodi, tivimate]],
  ['catchup="SHIFT"', "/s/325/index.m3u8", [kodi, tivimate]],
  ['timeshift="7"', "/s/326/index.m3u8", [kodi]],
  ['tvg-rec="3"', "/s/327/index.m3u8", [tivimate]],
  ['catchup="archive"', "/s/328", [ottNavigator]],
  ['catchup="fs" catchup-days="3"', "/151/mpegts?token=t", [kodi, ottNavigator]],
  ['tvg-rec="1" catchup-days="6" catchup-type="flussonic"', "/152/index.m3u8?token=t", [kodi]],
  ['catchup="Flussonic"', "/153/mono.m3u8?token=t", [kodi]],
  ['catchup-type="flussonic-hls"', "/154/video.m3u8", [kodi]],
  ['catchup="flussonic-ts"', "/155/live?token=t", [kodi]],
  ['catchup="flussonic"', "/155/live?token=t", [kodi]],
  ['catchup="xc" catchup-days="2"', "/me@x.xc/secret/1477", [kodi]],
  ['catchup="XC"', "/live/me@x.xc/secret/1477.m3u8", [kodi]],
  ['catchup="xc" catchup-source="-2"', "/live/me/secret/1477.ts", [kodi]],
  ['catchup="fs"', "/live/me@x.xc/secret/1477.m3u8", [kodi]],
];

export const CATCHUP_CASES: readonly CatchupCase[] = CASES.map(([attributes, path, players]) => ({
  attributes,
  path,
  players,
}));
