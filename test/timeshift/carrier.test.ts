// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { carrierQuery } from "../../src/timeshift/carrier.ts";
import type { ClockWords, PlainForm } from "../../src/timeshift/placeholders.ts";
import { readSeekRequest } from "../../src/timeshift/seek-request.ts";
import { mergeServiceQuery } from "../../src/timeshift/service-query.ts";
import { renderTemplate } from "../../src/timeshift/template.ts";
import { resolveUpstreamUrl } from "../../src/timeshift/upstream-url.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const DATED_PATH = "http://s/${(b)yyyyMMdd}/${(b)HHmmss}/${(e)yyyyMMdd}/${(e)HHmmss}/1.m3u8";
const TWO_PARAMETERS =
  "http://s/p?starttime=${(b)yyyyMMdd|UTC}T${(b)HHmmss|UTC}&endtime=${(e)yyyyMMdd|UTC}T${(e)HHmmss|UTC}";

const INSTANTS = "${start}-${end}";

describe("the link to", () => {
  test.each([
    // Two instants, with which the server fills the rest.
    ["http://s/p?utc={utc}&lutc={lutc}", `playseek=${INSTANTS}&r2h-now=\${timestamp}`],
    ["http://s/p?a={utc}&b={start}&c={end}&d={utcend}", `playseek=${INSTANTS}`],
    ["http://s/{utc}/{duration:60}", `playseek=${INSTANTS}`],
    ["http://s/p?ago={offset}", `playseek=${INSTANTS}&r2h-now=\${timestamp}`],
    ["http://s/p?ago={offset:60}", `playseek=${INSTANTS}&r2h-now=\${timestamp}`],
    ["http://s/p?at={timestamp:H}&playseek={utc}", "playseek={utc}&r2h-now=${timestamp}"],
    ["http://s/p?end={utcend}", `playseek=${INSTANTS}`],
    // Beside them dates that tell in which zone a player writes its dates.
    [DATED_PATH, `playseek=${INSTANTS}&r2h-clock=\${(b)yyyyMMddHHmmss}-\${(e)yyyyMMddHHmmss}`],
    ["http://s/{(b)Ymd}", `playseek=${INSTANTS}&r2h-clock={(b)YmdHMS}-{(e)YmdHMS}`],
    [TWO_PARAMETERS, `playseek=${INSTANTS}&r2h-clock=\${(b)timestamp}-\${(e)timestamp}`],
    ["http://s/{(e)timestamp}", `playseek=${INSTANTS}&r2h-clock=\${(b)timestamp}-\${(e)timestamp}`],
    ["http://s/p?x={utc:Y-m-d}", `playseek=${INSTANTS}&r2h-clock={utc:YmdHMS}-{utcend:YmdHMS}`],
    ["http://s/p?x=${end:yyyyMMdd}", `playseek=${INSTANTS}&r2h-clock=\${start:yyyyMMddHHmmss}-\${end:yyyyMMddHHmmss}`],
    ["http://s/p?x=${end:YmdHM}", `playseek=${INSTANTS}&r2h-clock=\${start:YmdHMS}-\${end:YmdHMS}`],
    ["http://s/p?x={utc}&now={lutc:YmdHMS}", `playseek=${INSTANTS}&r2h-now=\${timestamp}`],
    ["http://s/{Y}/{m}?e={utcend}", `playseek=${INSTANTS}&r2h-clock={Y}{m}{d}{H}{M}{S}`],
    ["http://s/${HH}", `playseek=${INSTANTS}&r2h-clock=\${yyyy}\${MM}\${dd}\${HH}\${mm}\${ss}`],
    [
      "http://s/{Y}/${(b)HH}/{utc:d}",
      `playseek=${INSTANTS}&r2h-clock=\${(b)yyyyMMddHHmmss}-\${(e)yyyyMMddHHmmss},{utc:YmdHMS}-{utcend:YmdHMS},{Y}{m}{d}{H}{M}{S}`,
    ],
    // The seek parameter as it stands.
    ["rtsp://s/p?playseek={utc:YmdHMS}-{utcend:YmdHMS}", "playseek={utc:YmdHMS}-{utcend:YmdHMS}"],
    ["http://s/p?PlaySeek={utc}-{utcend}", "PlaySeek={utc}-{utcend}"],
    ["http://s/p?tvdr={utc}", "tvdr={utc}"],
    ["http://s/p?playseek={utcend}", "playseek={utcend}"],
    ["http://s/p?playseek={utc:YmdHM}_{utcend:YmdHM}", "playseek={utc:YmdHM}_{utcend:YmdHM}"],
    [
      "rtsp://s/p?tvdr=${(b)yyyyMMddHHmmss}GMT-${(e)yyyyMMddHHmmss}GMT",
      "tvdr=${(b)yyyyMMddHHmmss}GMT-${(e)yyyyMMddHHmmss}GMT",
    ],
    ["rtsp://s/p?x={utc:YmdHMS}-{utcend:YmdHMS}&r2h-seek-name=x", "x={utc:YmdHMS}-{utcend:YmdHMS}"],
    ["http://s/p?playseek={utc}-{utcend}&len={duration}", `playseek={utc}-{utcend}&r2h-span=${INSTANTS}`],
    ["http://s/{Y}?tvdr={utc:Y}", `tvdr={utc:Y}&r2h-span=${INSTANTS}&r2h-clock={Y}{m}{d}{H}{M}{S}`],
    ["http://s/{utc}?r2h-seek-name=x", `x=${INSTANTS}`],
    ["http://s/{utc}?playseek=live", `playseek=${INSTANTS}`],
    // What the guide knows.
    ["http://s/vod/{catchup-id}", "r2h-catchup-id={catchup-id}"],
    ["http://s/{utc}/${catchup-id}", `playseek=${INSTANTS}&r2h-catchup-id={catchup-id}`],
    ["http://s/archive/file.m3u8", undefined],
    ["http://s/p?a={lutc}&b={unknown}", undefined],
  ])("%s", (url, expected) => {
    expect(carrierQuery(asByteString(url))).toBe<unknown>(expected as string);
  });
});

/** What the archive is asked for when a player has made `query` of the link. */
function asked(source: string, query: string, zoneMin = 0): string | undefined {
  const url = mergeServiceQuery(asByteString(source), asByteString(query))!;
  const request = readSeekRequest(url, "query", asByteString(source))!;
  return resolveUpstreamUrl(request, { nowMs: Date.UTC(2024, 0, 2), zoneMin })?.url;
}

describe("what came in decides what goes out", () => {
  const [begin, end] = [1_704_110_400, 1_704_114_000];
  const isoBegin = "2024-01-01T12:00:00.000Z";
  const isoEnd = "2024-01-01T13:00:00.000Z";
  test.each<[source: string, query: string, url: string | undefined]>([
    ["http://s/{utc}/{end}", `playseek=${begin}-${end}`, `http://s/${begin}/${end}`],
    ["http://s/{utc}/{end}", `playseek=${isoBegin}-${isoEnd}`, `http://s/${isoBegin}/${isoEnd}`],
    [
      "http://s/{utc}/{lutc}",
      "playseek=20240101120000-20240101130000",
      `http://s/${isoBegin}/2024-01-02T00:00:00.000Z`,
    ],
    ["http://s/{utc}/{lutc}", `playseek=${begin}`, `http://s/${begin}/1704153600`],
    ["http://s/{utc}?len={duration}", `playseek=${begin}`, undefined],
    // A player that knows no word for the end, or none for instants.
    ["http://s/{utc}", `playseek=${begin}-\${end}`, `http://s/${begin}`],
    ["http://s/{utc}?e={end}", `playseek=${begin}-\${end}`, undefined],
    [
      "http://s/${(b)HHmm}/{utc}",
      `playseek=${INSTANTS}&r2h-clock=20240101140000-20240101150000`,
      "http://s/1400/1704117600",
    ],
    ["http://s/{utc:H}", "playseek=%24%7Bstart%7D-x&r2h-clock=20240101140000-20240101150000", "http://s/14"],
    ["http://s/{utc:H}", `playseek=${INSTANTS}&r2h-clock={utc:YmdHMS}-{utcend:YmdHMS}`, undefined],
    ["http://s/{utc}", "playseek=nonsense", undefined],
    // The zone in which a player writes its dates; a date that is no zone away tells none.
    ["http://s/{H}:{M}", `playseek=${begin}-${end}&r2h-clock=20240101173000`, "http://s/17:30"],
    ["http://s/{H}:{M}", `playseek=${begin}-${end}&r2h-clock=20240101121000`, "http://s/12:00"],
    ["http://s/{H}:{M}", `playseek=${begin}-${end}&r2h-clock=20240103120000`, "http://s/12:00"],
    ["http://s/{H}:{M}", `playseek=${begin}-${end}&r2h-clock={Y}{m}{d}{H}{M}{S}`, "http://s/12:00"],
    ["http://s/{H}:{M}", `playseek=${begin}-${end}&r2h-clock=x,,20240101130000`, "http://s/12:00"],
    ["http://s/{H}", `playseek=${begin}-${end}&r2h-clock=20240101130000&r2h-seek-offset=7200`, "http://s/15"],
    // When the player has made its URL, however often it then asks.
    ["http://s/{lutc}/{offset:60}", `playseek=${begin}-${end}&r2h-now=${begin + 600}`, `http://s/${begin + 600}/10`],
    ["http://s/{lutc}", `playseek=${begin}-${end}&r2h-now=20240101120000`, "http://s/1704153600"],
    ["http://s/{lutc}", `playseek=${begin}-${end}&r2h-now=\${timestamp}`, "http://s/1704153600"],
    // Beside a seek parameter that is passed on.
    [
      "http://s/{utc}?playseek={utc:YmdHM}",
      `playseek=202401011200&r2h-span=${begin}-${end}`,
      `http://s/${begin}?playseek=202401011200`,
    ],
    // What the guide says.
    ["http://s/{catchup-id}.ts", "r2h-catchup-id=a%2Fb", "http://s/a%2Fb.ts"],
    ["http://s/{catchup-id}.ts", "r2h-catchup-id={catchup-id}", "http://s/{catchup-id}.ts"],
    ["http://s/{catchup-id}.ts", `r2h-catchup-id=${"x".repeat(1024)}`, "http://s/{catchup-id}.ts"],
    ["http://s/{catchup-id}/{utc}", `playseek=${begin}-${end}&r2h-catchup-id=7`, `http://s/7/${begin}`],
    ["http://s/{catchup-id}/{utc}", "", "http://s/{catchup-id}/{utc}"],
  ])("%s with %s", (source, query, url) => {
    expect(asked(source, query)).toBe<unknown>(url as string);
  });

  test("the client's zone is that of (b), until it tells another", () => {
    const query = `playseek=${begin}-${end}`;
    expect(asked("http://s/${(b)HH}/{H}", query, 480)).toBe("http://s/20/12");
    expect(asked("http://s/${(b)HH}/{H}", `${query}&r2h-clock=20240101150000,20240101130000`, 480)).toBe(
      "http://s/15/13",
    );
    const dated = `playseek=${INSTANTS}&r2h-clock=20240101150000-20240101160000`;
    expect(asked("http://s/${(b)HH}/{utc}", dated, 480)).toBe("http://s/15/1704092400");
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
    "http://s/{H}${mm}${start-sec}?x=${end:YmdHM}",
    "http://s/{utc}?tvdr={utc}-{utcend}",
  ];
  const plain = fc.constantFrom<PlainForm>("unix", "iso");
  const zones = fc.record({
    marked: fc.integer({ min: -48, max: 56 }),
    keyword: fc.integer({ min: -48, max: 56 }),
    letters: fc.integer({ min: -48, max: 56 }),
    parts: fc.integer({ min: -48, max: 56 }),
  });
  fc.assert(
    fc.property(
      begin,
      fc.nat(99_999),
      fc.constantFrom(...sources),
      plain,
      zones,
      (beginS, lengthS, source, form, quarters) => {
        const beginMs = beginS * 1000;
        const clocks = new Map(
          (Object.entries(quarters) as [ClockWords, number][]).map(([words, zone]) => [words, zone * 15]),
        );
        const times = {
          beginMs,
          endMs: beginMs + lengthS * 1000,
          nowMs: beginMs + 9_999_000,
          zoneMin: 0,
          plain: form,
          clocks,
        };
        const link = renderTemplate(carrierQuery(asByteString(source))!, times)!;
        const request = readSeekRequest(
          mergeServiceQuery(asByteString(source), asByteString(link))!,
          "query",
          asByteString(source),
        )!;
        expect(resolveUpstreamUrl(request, times)?.url).toBe<unknown>(renderTemplate(source, times)!);
      },
    ),
  );
});

test("no URL makes it throw", () => {
  const unit = fc.constantFrom(
    "{utc}",
    "{utcend}",
    "{duration}",
    "{utc:Y}",
    "${(b)Y}",
    "{catchup-id}",
    "-",
    "{",
    "}",
    "$",
    "&",
    "=",
    "?",
    "playseek",
    "/",
  );
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
