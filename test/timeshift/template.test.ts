// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findPlaceholders, type TemplateTimes } from "../../src/timeshift/placeholders.ts";
import { hasUnknownWords, isTemplate, renderTemplate } from "../../src/timeshift/template.ts";
import { parseTime } from "../../src/timeshift/times.ts";

/** A client eight hours east, at half past two in the afternoon of UTC. */
const TIMES: TemplateTimes = {
  beginMs: Date.UTC(2024, 0, 2, 18, 4, 5, 678),
  endMs: Date.UTC(2024, 0, 2, 19, 34, 6, 789),
  nowMs: Date.UTC(2024, 10, 12, 14, 30, 59, 999),
  zoneMin: 8 * 60,
  plain: "iso",
};

describe("in both spellings", () => {
  test.each([
    ["(b)", "2024-01-02T18:04:05.000Z"],
    ["(e)", "2024-01-02T19:34:06.000Z"],
    ["(b)|UTC", "2024-01-02T18:04:05.000Z"],
    ["(b)timestamp", "1704218645"],
    ["(e)timestamp", "1704224046"],
    ["(b)timestamp|UTC", "1704218645"],
    ["utc", "2024-01-02T18:04:05.000Z"],
    ["start", "2024-01-02T18:04:05.000Z"],
    ["utcend", "2024-01-02T19:34:06.000Z"],
    ["end", "2024-01-02T19:34:06.000Z"],
    ["lutc", "2024-11-12T14:30:59.000Z"],
    ["now", "2024-11-12T14:30:59.000Z"],
    ["timestamp", "1731421859"],
    ["duration", "5401"],
    ["offset", "27203214"],
    ["utc:", "2024-01-02T18:04:05.000Z"],
    ["utc:-/:", "-/:"],
  ])("%s is %s", (content, expected) => {
    expect(renderTemplate(`\${${content}}`, TIMES)).toBe(expected);
    expect(renderTemplate(`{${content}}`, TIMES)).toBe(expected);
  });

  test.each([
    ["duration:1", "5401"],
    ["duration:60", "90"],
    ["duration:3600", "1"],
    ["durmin", "90"],
    ["offset:1", "27203214"],
    ["offset:60", "453386"],
    ["(b)|utc", "2024-01-02T18:04:05.000Z"],
    ["(b):UTC", "2024-01-02T18:04:05.000Z"],
    ["current_utc", "2024-11-12T14:30:59.000Z"],
    ["start-year", "2024"],
    ["start-mon", "01"],
    ["start-day", "02"],
    ["start-hour", "18"],
    ["start-min", "04"],
    ["start-sec", "05"],
    ["end-hour", "19"],
    ["end-sec", "06"],
  ])("%s, as players have it, is %s", (content, expected) => {
    expect(renderTemplate(`\${${content}}/{${content}}`, TIMES)).toBe(`${expected}/${expected}`);
  });

  test.each([
    ["utc", "1704218645"],
    ["start", "1704218645"],
    ["utcend", "1704224046"],
    ["end", "1704224046"],
    ["lutc", "1731421859"],
    ["now", "1731421859"],
    ["current_utc", "1731421859"],
    ["timestamp", "1731421859"],
    ["(b)timestamp", "1704218645"],
    ["(b)", "2024-01-02T18:04:05.000Z"],
    ["utc:", "1704218645"],
  ])("%s is %s where plain times are Unix seconds", (content, expected) => {
    expect(renderTemplate(`\${${content}}/{${content}}`, { ...TIMES, plain: "unix" })).toBe(`${expected}/${expected}`);
  });

  test("an id stays until it is known", () => {
    expect(renderTemplate("h/{catchup-id}/${catchup-id}", TIMES)).toBe("h/{catchup-id}/${catchup-id}");
    expect(renderTemplate("h/{catchup-id}/${catchup-id}", { ...TIMES, catchupId: "a%2F1" })).toBe("h/a%2F1/a%2F1");
  });

  test.each([
    "duration:0",
    "offset:-1",
    "duration:1.5",
    "duration:",
    "start-week",
    "utc-year",
    "durhour",
    "catchup-ID",
  ])("{%s} is nobody's", (content) => {
    expect(renderTemplate(`\${${content}}/{${content}}`, TIMES)).toBe(`\${${content}}/{${content}}`);
  });

  test.each(["foo", "UTC", "Utc", "utc ", "(b", "(B)", "(c)", "b", "(b)x)".slice(0, 2), "duration:x", "offset:S", " "])(
    "{%s} stays",
    (content) => {
      expect(renderTemplate(`\${${content}}/{${content}}`, TIMES)).toBe(`\${${content}}/{${content}}`);
    },
  );
});

describe("with long letters", () => {
  test.each([
    ["${(b)yyyyMMddHHmmss}", "20240103020405"],
    ["${(e)yyyyMMddHHmmss}", "20240103033406"],
    ["${(b)yyyyMMddHHmmss|UTC}", "20240102180405"],
    ["${(e)yyyy-MM-dd'T'HH:mm:ss|UTC}", "2024-01-02'T'19:34:06"],
    ["${(b)yyyyMMdd}T${(b)HHmmss}", "20240103T020405"],
    ["${utc:yyyyMMddHHmmss}", "20240102180405"],
    ["${start:HH}", "18"],
    ["${utcend:yyyyMMddHHmmss}", "20240102193406"],
    ["${end:mm}", "34"],
    ["${lutc:yyyyMMddHHmmss}", "20241112143059"],
    ["${now:dd}", "12"],
    ["${timestamp:yyyyMMdd}", "20241112"],
    ["${yyyy}/${MM}/${dd}/${HH}/${mm}/${ss}", "2024/01/02/18/04/05"],
    ["${end:YmdHM}", "202401021934"],
    ["${start:Ymd-H-M}", "20240102-18-04"],
    ["${(b)yyyyMMddHHmmss:utc}", "20240102180405"],
    ["${(e)yyyyMMddHHmmss:UTC}", "20240102193406"],
    ["${(b)HH:mm:ss}", "02:04:05"],
    ["${yyyyMMdd}", "${yyyyMMdd}"],
    ["${(b)yyy|M|d}", "yyy|M|d"],
    ["${(b)YmdHMS}", "YmdHMS"],
    ["${Y}", "${Y}"],
    ["$${utc:yyyy}$", "$2024$"],
  ])("%s is %s", (template, expected) => {
    expect(renderTemplate(template, TIMES)).toBe(expected);
  });
});

describe("with short letters", () => {
  test.each([
    ["{(b)YmdHMS}", "20240103020405"],
    ["{(b)YmdHMS|UTC}", "20240102180405"],
    ["{(e)Y-m-d/H:M:S}", "2024-01-03/03:34:06"],
    ["{utc:YmdHMS}", "20240102180405"],
    ["{start:H}", "18"],
    ["{utcend:YmdHMS}", "20240102193406"],
    ["{end:M}", "34"],
    ["{lutc:YmdHMS}", "20241112143059"],
    ["{now:d}", "12"],
    ["{timestamp:Ymd}", "20241112"],
    ["{Y}/{m}/{d}/{H}/{M}/{S}", "2024/01/02/18/04/05"],
    ["{utc:YmdHM}", "202401021804"],
    ["{utc:yyyyMMddHHmmss}", "20240102180405"],
    ["{(b)yyyyMMddHHmmss}", "20240103020405"],
    ["{YmdHMS}", "{YmdHMS}"],
    ["{yyyy}", "{yyyy}"],
    ["{utc:Y$}", "2024$"],
  ])("%s is %s", (template, expected) => {
    expect(renderTemplate(template, TIMES)).toBe(expected);
  });
});

test.each([
  ["h/a{Y}b?c=${dd}&d=%7BY%7D#{S}", "h/a2024b?c=02&d=%7BY%7D#05"],
  ["{{Y}}", "{2024}"],
  ["{x{Y}", "{x2024"],
  ["{Y", "{Y"],
  ["Y}", "Y}"],
  ["${", "${"],
  ["{}${}", "{}${}"],
  ["", ""],
])("literal text around placeholders stays: %j", (template, expected) => {
  expect(renderTemplate(template, TIMES)).toBe(expected);
});

describe("where a player's zones are known", () => {
  const clocks = new Map([
    ["marked", 60],
    ["keyword", 120],
    ["letters", -210],
    ["parts", 345],
  ] as const);
  test.each([
    ["${(b)HHmm}", "1904"],
    ["${(b)HHmm|UTC}", "1804"],
    ["{utc:H-M}", "20-04"],
    ["{lutc:H}", "16"],
    ["{H}:{M}", "14:34"],
    ["${start-hour}:${end-min}", "23:19"],
    ["{utc}", "2024-01-02T18:04:05.000Z"],
  ])("%s is %s", (template, expected) => {
    expect(renderTemplate(template, { ...TIMES, clocks })).toBe(expected);
  });
});

test("the content has at most 127 bytes", () => {
  const format = (bytes: number) => `{utc:${"-".repeat(bytes - "utc:".length)}}`;
  expect(renderTemplate(format(127), TIMES)).toBe("-".repeat(123));
  expect(renderTemplate(format(128), TIMES)).toBe(format(128));
});

describe("a missing time", () => {
  const begin = ["(b)", "(b)Y", "(b)timestamp", "utc", "start:Y", "Y", "offset"];
  const end = ["(e)", "(e)Y", "(e)timestamp", "utcend", "end:Y"];
  const now = ["lutc", "now", "timestamp", "now:Y"];
  const without = (point: Partial<TemplateTimes>, content: string) =>
    renderTemplate(`h/{${content}}`, { ...TIMES, ...point });

  test.each([...begin, "duration"])("begin, for {%s}", (content) => {
    expect(without({ beginMs: undefined }, content)).toBeUndefined();
  });
  test.each([...end, "duration"])("end, for {%s}", (content) => {
    expect(without({ endMs: undefined }, content)).toBeUndefined();
  });
  test("does not matter to the others", () => {
    for (const content of begin) expect(without({ endMs: undefined }, content)).toBeString();
    for (const content of end) expect(without({ beginMs: undefined }, content)).toBeString();
    for (const content of now) expect(without({ beginMs: undefined, endMs: undefined }, content)).toBeString();
  });
});

describe("a template", () => {
  test.each([
    "h/${",
    "h/${foo}",
    "{utc}",
    "{start}",
    "{end}",
    "{utcend}",
    "{lutc}",
    "{now}",
    "{timestamp}",
    "{duration}",
    "{offset}",
    "{Y}",
    "{m}",
    "{d}",
    "{H}",
    "{M}",
    "{S}",
    "h/p?a={(b)",
    "{(e)Y}",
    "{utc:Y}",
    "{start:Y}",
    "{end:}",
    "{utcend:Y}",
    "{lutc:Y}",
    "{now:Y}",
    "{timestamp:Y}",
    "h/{x}/{Y}",
    "{duration:60}",
    "{offset:1}",
    "{durmin}",
    "{current_utc}",
    "{start-year}",
    "h/{catchup-id}",
  ])("is %j", (url) => {
    expect(isTemplate(url)).toBe(true);
  });

  test.each([
    "",
    "h/p?a=b",
    "{",
    "$",
    "$ {x}",
    "{x}",
    "{UTC}",
    "{yyyy}",
    "{utc:Y",
    "{duration:Y}",
    "{offset:Y}",
    "{(c)}",
    "{utc }",
    "%7Butc%7D",
    "(b)",
  ])("is not %j", (url) => {
    expect(isTemplate(url)).toBe(false);
  });
});

describe("words that nobody knows", () => {
  test.each([
    "?a={GMT:YmdHMS}",
    "?a={utc}&b={token}",
    "?a=$utc",
    "?a=$start&b={end}",
    "?a=${login}",
    "?a={}",
    "?a={utc }",
    `?a={utc:${"-".repeat(127)}}`,
  ])("are in %j", (url) => {
    expect(hasUnknownWords(url)).toBe(true);
  });

  test.each([
    "",
    "?a=b$c",
    "?a=$utcx",
    "?a=$",
    "?a={utc}-${end:YmdHM}",
    "?a={",
    "?a=%7Bx%7D",
    "/{catchup-id}?{duration:60}",
  ])("are not in %j", (url) => {
    expect(hasUnknownWords(url)).toBe(false);
  });
});

const HOSTILE_UNITS = ["$", "{", "}", "(b)", "(e)", "utc", "utcend", ":", "|UTC", "Y", "yyyy", "duration", "?", "\0"];

test("no template makes it throw, and what is no template stays", () => {
  const near = fc.string({ unit: fc.constantFrom(...HOSTILE_UNITS), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (template) => {
      const rendered = renderTemplate(template, TIMES);
      if (!isTemplate(template)) expect(rendered).toBe(template);
      if (findPlaceholders(template).length > 0) expect(isTemplate(template)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test("what is filled parses back to the time it was filled with", () => {
  const seconds = fc.integer({ min: Date.UTC(1900, 0, 2) / 1000, max: Date.UTC(9999, 11, 30) / 1000 });
  const zoneHours = fc.integer({ min: -12, max: 14 });
  const templates: [template: string, inClientZone: boolean][] = [
    ["${(b)yyyyMMddHHmmss}", true],
    ["{(b)Y-m-dTH:M:S}", true],
    ["${(b)yyyyMMddTHHmmss|UTC}", false],
    ["{utc:YmdHMS}", false],
    ["${start}", false],
    ["${yyyy}${MM}${dd}${HH}${mm}${ss}", false],
  ];
  fc.assert(
    fc.property(seconds, zoneHours, fc.constantFrom(...templates), (begin, hours, [template, inClientZone]) => {
      const times = { ...TIMES, beginMs: begin * 1000, zoneMin: hours * 60 };
      const wall = begin * 1000 + (inClientZone ? hours * 3_600_000 : 0);
      expect(parseTime(renderTemplate(template, times)!)?.wallMs).toBe(wall);
    }),
  );
});

/** Were the cost to grow with the square of the length, none of these would end before the test's time is up. */
test.each(["{", "${", "{utc:", "{(b)", "${(b)|UTC", "{utc:}", "}", "{Y}", "{a", "{utc:|UTC"])(
  "200 kB of %j cost no more than their length",
  (unit) => {
    const template = unit.repeat(200_000 / unit.length);
    isTemplate(template);
    renderTemplate(template, TIMES);
    renderTemplate(`${template}${"a".repeat(200_000)}`, TIMES);
  },
);
