import { expect, test } from "bun:test";
import {
  type EntryUrlRules,
  isServable,
  recogniseUrl,
  requestedUrl,
  resolved,
  whyUnrelayed,
} from "../../src/playlist/entry-url.ts";
import { asByteString, utf8Encode } from "../../src/wire/text/byte-string.ts";
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

test.each<[url: string, base: string | undefined, requested: string]>([
  ["live/a", "http://h/lists/tv.m3u?x=1", "http://h/lists/live/a"],
  ["/live/a?b#c", "http://h/lists/tv.m3u", "http://h/live/a?b"],
  ["//h2/a", "https://h/tv.m3u", "https://h2/a"],
  ["../a", "http://h/x/y/tv.m3u", "http://h/x/a"],
  ["http://h/a#b", undefined, "http://h/a"],
  [
    "http://h/央视/新闻 综合.ts?名={utc}",
    undefined,
    "http://h/%E5%A4%AE%E8%A7%86/%E6%96%B0%E9%97%BB %E7%BB%BC%E5%90%88.ts?%E5%90%8D={utc}",
  ],
  ["http://bücher.example/é", undefined, "http://bücher.example/%C3%A9"],
  ["rtsp://h/é", undefined, "rtsp://h/%C3%A9"],
  ["live/a", "file:///srv/tv.m3u", "live/a"],
  ["live/a", undefined, "live/a"],
  ["udp://@239.0.0.1:5000", "http://h/tv.m3u", "udp://@239.0.0.1:5000"],
])("%s in %s is asked for as %s", (url, base, requested) => {
  expect(requestedUrl(utf8Encode(url), base)).toBe(utf8Encode(requested));
});

test("a guide beside a list in a file is one, too", () => {
  expect(resolved(asByteString("guide.xml"), "file:///srv/tv/list.m3u")).toBe<unknown>("file:///srv/tv/guide.xml");
});

test.each<[url: string, why: string]>([
  ["udp://@239.0.0.1:5000", ""],
  ["https://h/a", "with https (proxy-https would relay them)"],
  ["MMS://h/a", "with mms, which is not known"],
  ["a.ts", "without an absolute URL"],
  ["rtp://@:5", "with a rtp URL that cannot be served"],
])("%s is passed on: %j", (url, why) => {
  expect(whyUnrelayed(asByteString(url), RULES)).toBe(why);
});
