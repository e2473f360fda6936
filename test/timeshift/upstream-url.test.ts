// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readSeekRequest, type SeekWay } from "../../src/timeshift/seek-request.ts";
import { mergeServiceQuery } from "../../src/timeshift/service-query.ts";
import { resolveUpstreamUrl, type UpstreamUrl } from "../../src/timeshift/upstream-url.ts";
import { clientZone } from "../../src/timeshift/zones.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const NOW = Date.UTC(2024, 0, 1, 14, 0, 0);

interface Asked {
  readonly userAgent?: string;
  readonly nowMs?: number;
  /** What a service is asked with; without it the URL came whole from a client. */
  readonly query?: string;
}

function resolved(text: string, { userAgent, nowMs = NOW, query }: Asked = {}): UpstreamUrl | undefined {
  const url = asByteString(text);
  const way: SeekWay = url.startsWith("rtsp:") ? "range" : "query";
  const whole = query === undefined ? url : mergeServiceQuery(url, asByteString(query))!;
  const request = readSeekRequest(whole, way, query === undefined ? undefined : url);
  return request && resolveUpstreamUrl(request, { nowMs, zoneMin: clientZone(userAgent) });
}

const urlOf = (url: string, asked?: Asked) => resolved(url, asked)?.url;
const EAST = { userAgent: "X TZ/UTC+8" };

describe("worked examples", () => {
  test("1: passthrough turns the client's time to UTC", () => {
    expect(resolved("rtsp://h:554/ch?playseek=20240101200000-20240101210000", EAST)).toEqual<unknown>({
      url: "rtsp://h:554/ch?playseek=20240101120000-20240101130000",
      range: undefined,
    });
  });

  test("2: with an offset for each end", () => {
    const query = "playseek=20240101200000-20240101210000&r2h-seek-offset=12,-12";
    expect(urlOf(`rtsp://h:554/ch?${query}`, EAST)).toBe<unknown>(
      "rtsp://h:554/ch?playseek=20240101120012-20240101125948",
    );
  });

  test("3: a template is filled", () => {
    const url = "http://h/a/${(b)yyyyMMddHHmmss}/x.ts?playseek=20240101120000";
    expect(urlOf(url)).toBe<unknown>("http://h/a/20240101120000/x.ts");
    expect(urlOf(url, EAST)).toBe<unknown>("http://h/a/20240101120000/x.ts");
  });

  test("4: without a seek a template stays", () => {
    expect(urlOf("http://h/a/{utc:YmdHMS}/x.ts")).toBe<unknown>("http://h/a/{utc:YmdHMS}/x.ts");
  });

  test("4a: but for one that asks for the present only", () => {
    expect(urlOf("http://h/{lutc}/x.ts?at=${now}&h={lutc:H}")).toBe<unknown>(
      "http://h/1704117600/x.ts?at=1704117600&h=14",
    );
    expect(urlOf("http://h/{lutc}/{utc}/x.ts")).toBe<unknown>("http://h/{lutc}/{utc}/x.ts");
    expect(urlOf("http://h/x?now={lutc}", { query: "now=5" })).toBe<unknown>("http://h/x?now=5");
  });

  test("5: a service with a placeholder in its seek parameter", () => {
    const url = "rtsp://h/ch?auth=z&playseek={utc:YmdHMS}-{utcend:YmdHMS}";
    const query = "playseek=20240101120000-20240101130000";
    expect(urlOf(url, { query })).toBe<unknown>("rtsp://h/ch?auth=z&playseek=20240101120000-20240101130000");
  });

  test("6: a request's query beats the service's", () => {
    expect(urlOf("http://h/x?a=1&b=2&a=3", { query: "a=9&c=4&a=8" })).toBe<unknown>("http://h/x?a=9&a=8&b=2&c=4");
  });

  test("7: a time with a zone of its own stays", () => {
    const url = "rtsp://h/ch?tvdr=20240101120000GMT-20240101130000GMT";
    expect(urlOf(url, EAST)).toBe<unknown>(url);
  });
});

describe("passthrough", () => {
  test.each([
    ["http://h/p?playseek=20240101120000-", "http://h/p?playseek=20240101120000-"],
    ["http://h/p?playseek=live&a=1", "http://h/p?a=1&playseek=live"],
    ["http://h/p?a=1&PlaySeek=5&b", "http://h/p?a=1&b&PlaySeek=5"],
    ["http://h/p?x=5&r2h-seek-name=X&playseek=6", "http://h/p?playseek=6&X=5"],
    ["http://h/p?playseek=", "http://h/p"],
    ["http://h/p?playseek=5&", "http://h/p?&playseek=5"],
    ["http://h/p?playseek=%7B%26%3D%25%2B", "http://h/p?playseek={&=%+"],
    ["http://h/p?playseek=2024-01-01T07:00:00%2B08:00", "http://h/p?playseek=2024-01-01T07:00:00+08:00"],
    ["http://h/p?playseek=%zz", "http://h/p?playseek=%zz"],
    ["/p?playseek=5&r2h-seek-mode=range", "/p?playseek=5"],
  ])("%s asks for %s", (url, expected) => {
    expect(urlOf(url)).toBe<unknown>(expected);
  });

  test("writes no line break that a client has encoded", () => {
    expect(urlOf("rtsp://h/p?playseek=5%20RTSP/1.0%0D%0AX:y%00%7F%FF")).toBe<unknown>(
      "rtsp://h/p?playseek=5%20RTSP/1.0%0D%0AX:y%00%7F\xff",
    );
  });

  test("fails where the value of an RTSP URL cannot be decoded", () => {
    expect(urlOf("rtsp://h/p?playseek=%zz")).toBeUndefined();
  });

  test("makes no URL over 2047 bytes", () => {
    const asked = (length: number) =>
      urlOf(`http://h/p?playseek=${"x".repeat(length - "http://h/p?playseek=".length)}`);
    expect(asked(2047)).toHaveLength(2047);
    expect(asked(2048)).toBeUndefined();
  });
});

describe("a template", () => {
  test.each([
    ["http://h/{Y}/x?playseek=20240101200000", "http://h/2024/x"],
    ["http://h/x?s={utc:YmdHMS}&playseek=20240101200000&e={utcend:YmdHMS}", undefined],
    [
      "http://h/x?s={utc:YmdHMS}&playseek=20240101200000-20240101210000&e={utcend:YmdHMS}",
      "http://h/x?s=20240101120000&e=20240101130000",
    ],
    ["http://h/${(b)yyyyMMddHHmmss}/x?playseek=20240101200000", "http://h/20240101200000/x"],
    ["http://h/${(b)yyyyMMddHHmmss}/x?playseek=1704110400", "http://h/20240101200000/x"],
    ["http://h/${(b)yyyyMMddHHmmss|UTC}/x?playseek=20240101T070000-05:00", "http://h/20240101120000/x"],
    ["http://h/{duration}/{offset}?tvdr=20240101200000-20240101210000", "http://h/3600/7200"],
    ["http://h/{duration}?playseek=20240101200000-20240101210000&r2h-seek-offset=10,-10", "http://h/3580"],
    ["http://h/{(b)timestamp}?playseek=20240101120000GMT&r2h-seek-offset=1", "http://h/1704110401"],
    ["http://h/{now:YmdHMS}?playseek=live", undefined],
    ["http://h/{now:YmdHMS}?playseek=20240101200000-live", undefined],
    ["http://h/{now:YmdHMS}?playseek=5", "http://h/20240101140000"],
    ["http://h/${unknown}?playseek=5", "http://h/${unknown}"],
    ["http://h/{Y}?playseek=", "http://h/{Y}"],
    ["http://h/{Y}?playseek={utc}", undefined],
  ])("%s becomes %p", (url, expected) => {
    expect(urlOf(url, EAST)).toBe<unknown>(expected as string);
  });

  test("makes no URL over 2047 bytes", () => {
    const asked = (count: number) => urlOf(`/${"{utc:Y-m-d/}".repeat(count)}?playseek=5`);
    expect(asked(186)).toHaveLength(2047);
    expect(asked(187)).toBeUndefined();
  });

  test("keeps the parameter that the service's own URL has beside it", () => {
    const url = "http://h/x?playseek={utc}-{utcend}&len={duration}";
    const query = "playseek=20240101200000-20240101210000";
    expect(urlOf(url, { ...EAST, query })).toBe<unknown>("http://h/x?len=3600&playseek=20240101120000-20240101130000");
    expect(urlOf("http://h/x?len={duration}", { ...EAST, query })).toBe<unknown>("http://h/x?len=3600");
  });
});

describe("a service", () => {
  test.each([
    ["http://h/x?a=1&playseek={utc}-{utcend}", "", "http://h/x?a=1&playseek={utc}-{utcend}"],
    ["http://h/x?playseek={utc}&len={duration}", "", "http://h/x?len={duration}&playseek={utc}"],
    ["http://h/x?playseek={utc}&len={duration}", "a=1", "http://h/x?len={duration}&a=1"],
    ["http://h/x?playseek=20240101120000", "a=1", "http://h/x?a=1&playseek=20240101120000"],
    ["http://h/x?tvdr={utc}", "playseek=20240101120000", "http://h/x?playseek=20240101120000"],
    ["http://h/x?tvdr={utc}", "TvDr=20240101120000", "http://h/x?tvdr=20240101120000"],
    ["http://h/x?r2h-seek-offset=60", "playseek=20240101120000", "http://h/x?playseek=20240101120100"],
    [
      "http://h/x?r2h-seek-offset=60",
      "playseek=20240101120000&r2h-seek-offset=0",
      "http://h/x?playseek=20240101120000",
    ],
    ["http://h/x?r2h-seek-name=x", "x=20240101120000&a=1", "http://h/x?a=1&x=20240101120000"],
  ])("%s asked with %j", (url, query, expected) => {
    expect(urlOf(url, { query })).toBe<unknown>(expected);
  });
});

describe("Range", () => {
  const recent = "20240101133000";

  test.each([
    [`rtsp://h/p?playseek=${recent}&r2h-seek-mode=range`, "rtsp://h/p", "clock=20240101T133000Z-"],
    [
      `rtsp://h/p?playseek=${recent}-20240101134000&a=1&r2h-seek-mode=range`,
      "rtsp://h/p?a=1",
      "clock=20240101T133000Z-",
    ],
    [`rtsp://h/p?playseek=${recent}&r2h-seek-mode=range&r2h-start=5`, "rtsp://h/p", "clock=20240101T133000Z-"],
    [`rtsp://h/{Y}?playseek=${recent}&r2h-seek-mode=range`, "rtsp://h/2024", "clock=20240101T133000Z-"],
    [`rtsp://h/p?playseek=${recent}&r2h-seek-mode=range(60)&r2h-start=5`, `rtsp://h/p?playseek=${recent}`, "npt=5-"],
    [`rtsp://h/p?playseek=${recent}&r2h-seek-mode=passthrough`, `rtsp://h/p?playseek=${recent}`, undefined],
    [`rtsp://h/p?playseek=${recent}&r2h-seek-mode=range(`, `rtsp://h/p?playseek=${recent}`, undefined],
    ["rtsp://h/p?playseek=live&r2h-seek-mode=range", "rtsp://h/p?playseek=live", undefined],
    ["rtsp://h/p?r2h-seek-mode=range", "rtsp://h/p", undefined],
    ["rtsp://h/p?r2h-start=1:00:00.5&r2h-duration=1", "rtsp://h/p", "npt=1:00:00.5-"],
    [
      `http://h/p?playseek=${recent}&r2h-seek-mode=range&r2h-start=5`,
      `http://h/p?r2h-start=5&playseek=${recent}`,
      undefined,
    ],
  ])("%s", (url, expected, range) => {
    expect(resolved(url)).toEqual<unknown>({ url: expected, range: range as string });
  });

  test("the explicit zone means nothing to passthrough", () => {
    const url = "rtsp://h/p?playseek=20240101200000&r2h-seek-mode=range(UTC%2B8/60)";
    expect(resolved(url)).toEqual<unknown>({ url: "rtsp://h/p?playseek=20240101200000", range: undefined });
    expect(resolved("rtsp://h/p?playseek=20240101213000&r2h-seek-mode=range(UTC%2B8)")).toEqual<unknown>({
      url: "rtsp://h/p",
      range: "clock=20240101T133000Z-",
    });
  });

  test("a template still fails without the end that it needs", () => {
    expect(resolved(`rtsp://h/{end:Y}?playseek=${recent}&r2h-seek-mode=range`)).toBeUndefined();
  });

  test("the service's own parameter is left out too", () => {
    const url = "rtsp://h/x?playseek={utc}&y={Y}&r2h-seek-mode=range";
    expect(resolved(url, { query: `playseek=${recent}` })).toEqual<unknown>({
      url: "rtsp://h/x?y=2024",
      range: "clock=20240101T133000Z-",
    });
  });
});

test("no URL makes it throw or breaks a request line", () => {
  const unit = fc.constantFrom(
    ...["playseek=", "20240101120000", "-", "{utc}", "${(e)yyyy}", "r2h-seek-mode=range", "r2h-seek-offset=9"],
    ...["&", "?", "%0d%0a", "%", "r2h-start=1", "=", "9", "GMT"],
  );
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 15 }),
      fc.option(fc.string({ unit, maxLength: 15 }), { nil: undefined }),
      fc.constantFrom("rtsp://h/p", "http://h/{Y}"),
      fc.constantFrom(undefined, "TZ/UTC+8"),
      (tail, query, base, userAgent) => {
        const whole = query === undefined ? {} : { query };
        const result = resolved(`${base}?${tail}`, { ...whole, ...(userAgent ? { userAgent } : {}) });
        expect(`${result?.url}${result?.range}`).not.toMatch(/[\0-\x20]/);
      },
    ),
    { numRuns: 3000 },
  );
});

/** Were the cost to grow with the square of the length, none of these would end before the test's time is up. */
test.each(["&", "playseek=5&", "r2h-seek-offset=1&", "-", "{", "{utc}", "a=1&", "%41", "?"])(
  "200 kB of %j cost no more than their length",
  (unit) => {
    const text = unit.repeat(200_000 / unit.length);
    const service = `rtsp://h/p?${text}`;
    mergeServiceQuery(asByteString(service), asByteString(text));
    for (const query of ["", "playseek=", "r2h-seek-mode=range(", "r2h-seek-offset=", "{utc}&playseek=1&"]) {
      resolved(`rtsp://h/p?${query}${text}`);
    }
  },
);
