// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { carrierQuery } from "../../src/timeshift/carrier.ts";
import { readSeekRequest } from "../../src/timeshift/seek-request.ts";
import { mergeServiceQuery } from "../../src/timeshift/service-query.ts";
import { renderTemplate } from "../../src/timeshift/template.ts";
import { resolveUpstreamUrl } from "../../src/timeshift/upstream-url.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const DATED_PATH = "http://s/${(b)yyyyMMdd}/${(b)HHmmss}/${(e)yyyyMMdd}/${(e)HHmmss}/1.m3u8";
const TWO_PARAMETERS =
  "http://s/p?starttime=${(b)yyyyMMdd|UTC}T${(b)HHmmss|UTC}&endtime=${(e)yyyyMMdd|UTC}T${(e)HHmmss|UTC}";

describe("the link to", () => {
  test.each([
    ["rtsp://s/p?seek={utc:YmdHMS}-{utcend:YmdHMS}", "playseek={utc:YmdHMS}-{utcend:YmdHMS}"],
    [
      "rtsp://s/p?tvdr=${(b)yyyyMMddHHmmss}GMT-${(e)yyyyMMddHHmmss}GMT",
      "tvdr=${(b)yyyyMMddHHmmss}GMT-${(e)yyyyMMddHHmmss}GMT",
    ],
    ["rtsp://s/p?x={utc:YmdHMS}-{utcend:YmdHMS}&r2h-seek-name=x", "x={utc:YmdHMS}-{utcend:YmdHMS}"],
    [DATED_PATH, "playseek=${(b)yyyyMMdd}${(b)HHmmss}-${(e)yyyyMMdd}${(e)HHmmss}"],
    ["http://s/${(b)yyyyMMddHHmmss}/1.m3u8?token=1&begin={utc}", "playseek={utc}"],
    [TWO_PARAMETERS, "playseek=${(b)yyyyMMdd|UTC}T${(b)HHmmss|UTC}-${(e)yyyyMMdd|UTC}T${(e)HHmmss|UTC}"],
    ["http://s/archive/file.m3u8", undefined],
    ["http://s/p?a={lutc}&{utc}&b={unknown}", undefined],
    ["http://s/p?x={utc:Y-m-d}-{utcend:Y-m-d}", "playseek={utc:Y-m-d}-{utcend:Y-m-d}"],
    ["http://s/p?x={utc}-{now:Y-m}-{utcend}", "playseek={utc}-{now:Y-m}-{utcend}"],
    ["http://s/p?x={utc}{now:Y-m}-{utcend}", "playseek={utc}{now:Y-m}-{utcend}"],
    ["http://s/p?x={utcend}-{utc}", "playseek=${utc}-${utcend}"],
    ["http://s/p?x={utc},{utcend}", "playseek=${utc}-${utcend}"],
    ["http://s/p?a={utc}&b={start}&c={end}&d={utcend}", "playseek={utc}-{end}"],
    ["http://s/p?a={start}&r={utc}-{utcend}", "playseek={start}-{utcend}"],
    ["http://s/p?PlaySeek={utc}-{utcend}", "PlaySeek={utc}-{utcend}"],
    ["http://s/p?tvdr={utc}", "tvdr={utc}"],
    ["http://s/p?len={duration}", "playseek=${utc}-${utcend}"],
    ["http://s/p?ago={offset}", "playseek=${utc}"],
    ["http://s/p?x={utc}_{duration}", "playseek=${utc}-${utcend}"],
    ["http://s/p?end={utcend}", "playseek=${utc}-{utcend}"],
    ["http://s/{Y}/{m}?e={utcend}", "playseek={Y}{m}-{utcend}"],
  ])("%s", (url, expected) => {
    expect(carrierQuery(asByteString(url))).toBe<unknown>(expected as string);
  });
});

test("leads a player's times to the URL that the player would have made itself", () => {
  const begin = fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2100, 0, 1) / 1000 });
  const sources = [
    DATED_PATH,
    TWO_PARAMETERS,
    "http://s/p?seek={utc:YmdHMS}GMT-{utcend:YmdHMS}GMT",
    "http://s/{(b)timestamp}?len={duration}",
    "http://s/p?ago={offset}&x={utc}",
    "http://s/p?end={utcend}",
  ];
  fc.assert(
    fc.property(begin, fc.nat(99_999), fc.constantFrom(...sources), (beginS, lengthS, source) => {
      const beginMs = beginS * 1000;
      const times = { beginMs, endMs: beginMs + lengthS * 1000, nowMs: beginMs + 9_999_000, zoneMin: 0 };
      const link = renderTemplate(carrierQuery(asByteString(source))!, times)!;
      const request = readSeekRequest(
        mergeServiceQuery(asByteString(source), asByteString(link))!,
        "query",
        asByteString(source),
      )!;
      expect(resolveUpstreamUrl(request, times)?.url).toBe<unknown>(renderTemplate(source, times)!);
    }),
  );
});

test("no URL makes it throw", () => {
  const unit = fc.constantFrom("{utc}", "{utcend}", "{duration}", "-", "{", "}", "$", "&", "=", "?", "playseek", "/");
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit, maxLength: 20 })), (url) => {
      carrierQuery(asByteString(url));
    }),
    { numRuns: 2000 },
  );
});

test.each(["{utc}", "-", "&", "{utc}-{utcend}&a=", "{utc}-"])("200 kB of %j cost no more than their length", (unit) => {
  const text = unit.repeat(200_000 / unit.length);
  carrierQuery(asByteString(`http://s/${text}?a=${text}{utcend}`));
});
