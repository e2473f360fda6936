import { expect, test } from "bun:test";
import { type EntryUrlRules, isServable, recogniseUrl } from "../../src/playlist/entry-url.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { SCHEMES, SCHEMES_WITH_HTTPS } from "./schemes.ts";

const RULES: EntryUrlRules = {
  appPathPrefix: asByteString("/tv/x"),
  schemes: SCHEMES,
};

test.each<[url: string, upstream: string | undefined]>([
  ["rtp://239.0.0.1:5140", "rtp://239.0.0.1:5140"],
  ["udp://239.0.0.1", "udp://239.0.0.1"],
  ["rtsp://h/a?b", "rtsp://h/a?b"],
  ["http://h/a", "http://h/a"],
  ["http://h:5140/rtp/239.0.0.1:5140?fcc=1", "rtp://239.0.0.1:5140?fcc=1"],
  ["https://h/UDP/239.0.0.1", "udp://239.0.0.1"],
  ["http://[fe80::1]:80/rtsp/h/a", "rtsp://h/a"],
  ["http://h/tv/x/http/h2/a", "http://h2/a"],
  ["http://h/tv/http/h2/a", "http://h/tv/http/h2/a"],
  ["http://h/tv/xrtp/1", "http://h/tv/xrtp/1"],
  ["http://h?/rtp/1", "http://h?/rtp/1"],
  ["https://h/a", undefined],
  ["https://h/a/rtp/239.0.0.1", undefined],
  ["RTP://239.0.0.1", "rtp://239.0.0.1"],
  ["UDP://@239.0.0.1:5000", "udp://@239.0.0.1:5000"],
  ["HTTP://H/a", "http://H/a"],
  ["Https://h/udp/@239.0.0.1:5000", "udp://@239.0.0.1:5000"],
  ["HTTPS://h/a", undefined],
  ["MMS://h/a", undefined],
  ["mms://h/a", undefined],
  ["a.ts", undefined],
  ["", undefined],
])("%j is recognised as %j", (url, upstream) => {
  expect(recogniseUrl(asByteString(url), RULES)).toBe<unknown>(upstream!);
});

test.each<[url: string, plain: string | undefined, withHttps: string | undefined]>([
  ["https://h/a", undefined, "https://h/a"],
  ["https://h/rtp/239.0.0.1", "rtp://239.0.0.1", "rtp://239.0.0.1"],
  ["http://h/https/h2/a", "http://h/https/h2/a", "https://h2/a"],
  ["https://h/https/h2/a", undefined, "https://h2/a"],
])("%j is recognised as %j, and as %j when HTTPS is proxied", (url, plain, withHttps) => {
  expect(recogniseUrl(asByteString(url), RULES)).toBe<unknown>(plain!);
  expect(recogniseUrl(asByteString(url), { ...RULES, schemes: SCHEMES_WITH_HTTPS })).toBe<unknown>(withHttps!);
  if (withHttps !== undefined)
    expect(isServable(asByteString(withHttps), { ...RULES, schemes: SCHEMES_WITH_HTTPS })).toBe(true);
});

test.each<[url: string, servable: boolean]>([
  ["rtp://239.0.0.1:5140", true],
  ["rtp://239.0.0.1:5140/?fcc=10.0.0.1:15970", true],
  ["rtp://239%2E0.0.1", true],
  ["udp://@239.0.0.1:5140", true],
  ["rtp://127.0.0.1@239.0.0.1:5140/?pkt_size=1316", true],
  ["udp://@:5140", false],
  ["rtp://239.0.0.1:5140/?fcc=", false],
  ["rtp://239.0.0.%zz", false],
  ["rtp://group:0", false],
  ["rtp://", false],
  ["rtsp://user:pw@h:554/a", true],
  ["rtsp://", false],
  ["rtsp://h:99999/a", false],
  ["http://h/a", true],
  ["http:///a", false],
  ["http://h:0/a", false],
  [`http://h/${"a".repeat(2047)}`, false],
])("%s can be served: %p", (url, servable) => {
  expect(isServable(asByteString(url), RULES)).toBe(servable);
});
