import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { normalisedSeekValue, parseSeekValue } from "../../src/timeshift/seek-value.ts";
import { formatTime } from "../../src/timeshift/times.ts";

const NO_OFFSET = { beginS: 0, endS: 0 };

/** Begin and end as they were written; undefined for what is no time. */
function split(text: string): [begin: string | undefined, end: string | undefined, isSplit: boolean] {
  const { begin, end, isSplit } = parseSeekValue(text);
  return [begin && formatTime(begin), end && formatTime(end), isSplit];
}

describe("the value", () => {
  test.each([
    ["20240101120000-20240101130000", "20240101120000", "20240101130000", true],
    ["20240101120000-", "20240101120000", undefined, true],
    ["20240101120000", "20240101120000", undefined, false],
    ["live", undefined, undefined, false],
    ["", undefined, undefined, false],
    ["-", undefined, undefined, false],
    ["-20240101120000", undefined, undefined, false],
    ["20240101120000-live", undefined, undefined, false],
    ["live-20240101120000", undefined, undefined, false],
    ["20240101120000--20240101130000", undefined, undefined, false],
    [
      "2024-01-01T07:00:00-05:00-2024-01-01T08:00:00-05:00",
      "2024-01-01T07:00:00-05:00",
      "2024-01-01T08:00:00-05:00",
      true,
    ],
    ["2024-01-01T07:00:00-05:00-", "2024-01-01T07:00:00-05:00", undefined, true],
    ["2024-01-01T07:00:00-05:00", "2024-01-01T07:00:00-05:00", undefined, false],
    ["2024-01-01T07:00:00", "2024-01-01T07:00:00", undefined, false],
    ["2024-01-01T07:00:00.000-05:00-1704110400", "2024-01-01T07:00:00.000-05:00", "1704110400", true],
    ["1704110400-20240101T130000Z", "1704110400", "20240101T130000Z", true],
    ["20240101120000GMT-20240101130000GMT", "20240101120000GMT", "20240101130000GMT", true],
  ])("%j splits into %p and %p", (text, begin, end, isSplit) => {
    expect(split(text)).toEqual([begin, end, isSplit]);
  });
});

describe("of a client eight hours east, upstream gets", () => {
  test.each([
    ["20240101200000-20240101210000", "20240101120000-20240101130000"],
    ["20240101200000-", "20240101120000-"],
    ["20240101200000", "20240101120000"],
    ["20240101120000GMT-20240101130000GMT", "20240101120000GMT-20240101130000GMT"],
    ["20240101200000-1704114000", "20240101120000-1704114000"],
    ["live", "live"],
    ["20240101200000-live", "20240101200000-live"],
  ])("for %j: %s", (text, expected) => {
    expect(normalisedSeekValue(parseSeekValue(text), 8 * 60, NO_OFFSET)).toBe(expected);
  });
});

test("each end has its own offset, and text has none", () => {
  const offset = { beginS: 12, endS: -12 };
  const moved = (text: string) => normalisedSeekValue(parseSeekValue(text), 0, offset);
  expect(moved("20240101120000-20240101130000")).toBe("20240101120012-20240101125948");
  expect(moved("20240101120000-")).toBe("20240101120012-");
  expect(moved("live")).toBe("live");
});

test("a value in UTC comes through unchanged, whatever it is", () => {
  const near = fc.string({ unit: fc.constantFrom("2", "20240101", "120000", "-", "T", "Z", "GMT"), maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      const value = parseSeekValue(text);
      const result = normalisedSeekValue(value, 0, NO_OFFSET);
      if (value.begin?.layout !== "unix" && value.end?.layout !== "unix") expect(result).toBe(text);
    }),
    { numRuns: 2000 },
  );
});
