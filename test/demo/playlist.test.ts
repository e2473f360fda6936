import { expect, test } from "bun:test";
import { channelPaths, demoPlaylist } from "../../src/demo/playlist.ts";
import { findAttribute } from "../../src/wire/m3u/attributes.ts";
import { M3uParser } from "../../src/wire/m3u/parser.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const URLS = {
  rtsp: "rtsp://127.0.0.1:1/live",
  http: "http://127.0.0.1:2/live",
  guide: "http://127.0.0.1:2/guide.xml",
  fccServer: "127.0.0.1:3",
};

const parser = new M3uParser();
parser.push(asByteString(demoPlaylist(URLS)));
const playlist = parser.finish();

test("is read as channels with everything that a player shows", () => {
  expect([playlist.skippedCount, playlist.guideUrls]).toEqual<unknown>([0, [URLS.guide]]);
  expect(playlist.entries.map(({ name, group, url }) => `${group}/${name} ${url}`)).toEqual([
    "Multicast/sluice one rtp://239.255.81.1:5004?r2h-ifname=lo",
    "Multicast/sluice two rtp://239.255.81.2:5004?r2h-ifname=lo",
    "Multicast/sluice three rtp://239.255.81.3:5004?r2h-ifname=lo",
    "With catch-up/sluice four rtsp://127.0.0.1:1/live?r2h-ifname=lo",
    "With catch-up/sluice five http://127.0.0.1:2/live?r2h-ifname=lo",
    "With FCC and FEC/sluice six rtp://239.255.81.6:5004?r2h-ifname=lo&fcc=127.0.0.1:3&fec=5006",
  ]);
  expect(channelPaths().map(({ path }) => decodeURIComponent(path))).toEqual(
    playlist.entries.map(({ name, group }) => `/${group}/${name}`),
  );
  const logos = playlist.entries.map(({ extinf }) => findAttribute(extinf, "tvg-logo")!.value);
  expect(new Set(logos).size).toBe(6);
  for (const logo of logos) expect(atob(logo.replace("data:image/svg+xml;base64,", ""))).toMatch(/^<svg .*<\/svg>$/);
  expect(playlist.entries.map(({ extinf }) => findAttribute(extinf, "tvg-id")!.value)).toEqual<unknown>(
    [1, 2, 3, 4, 5, 6].map((number) => `demo.${number}`),
  );
});

test("has catch-up for two of them", () => {
  const sources = playlist.entries.map(({ catchup }) => catchup.source);
  const query = "playseek={utc:YmdHMS}-{utcend:YmdHMS}&r2h-ifname=lo";
  expect(sources).toEqual<unknown>(["", "", "", `${URLS.rtsp}?${query}`, `${URLS.http}?${query}`, ""]);
  expect(playlist.entries.map(({ extinf }) => findAttribute(extinf, "catchup-days")?.value)).toEqual<unknown>([
    undefined,
    undefined,
    undefined,
    "1",
    "1",
    undefined,
  ]);
});
