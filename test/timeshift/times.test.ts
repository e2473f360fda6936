import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  calendar,
  formatTime,
  instantMs,
  normalisedTime,
  parseTime,
  type TimeLayout,
  type TimeValue,
} from "../../src/timeshift/times.ts";

const UTC_8 = 8 * 60;
const instantOf = (text: string, zoneMin = 0) => new Date(instantMs(parseTime(text)!, zoneMin)).toISOString();

describe("a time", () => {
  test.each([
    ["0", "1970-01-01T00:00:00.000Z"],
    ["1704110400", "2024-01-01T12:00:00.000Z"],
    ["9999999999", "2286-11-20T17:46:39.000Z"],
    ["20240101120000", "2024-01-01T12:00:00.000Z"],
    ["19000101000000", "1900-01-01T00:00:00.000Z"],
    ["99991231235959", "9999-12-31T23:59:59.000Z"],
    ["20240101120000GMT", "2024-01-01T12:00:00.000Z"],
    ["20240101T120000", "2024-01-01T12:00:00.000Z"],
    ["20240101T120000Z", "2024-01-01T12:00:00.000Z"],
    ["20240101T120000+08:00", "2024-01-01T04:00:00.000Z"],
    ["20240101T120000-05:30", "2024-01-01T17:30:00.000Z"],
    ["2024-01-01T12:00:00", "2024-01-01T12:00:00.000Z"],
    ["2024-01-01T12:00:00.5", "2024-01-01T12:00:00.500Z"],
    ["2024-01-01T12:00:00.05Z", "2024-01-01T12:00:00.050Z"],
    ["2024-01-01T12:00:00.123+08:00", "2024-01-01T04:00:00.123Z"],
    ["2024-01-01T12:00:00+0800", "2024-01-01T04:00:00.000Z"],
    ["2024-01-01T12:00:00+14:59", "2023-12-31T21:01:00.000Z"],
    ["2024-01-01T12:00:00-00:00", "2024-01-01T12:00:00.000Z"],
    ["20240231000000", "2024-03-02T00:00:00.000Z"],
    ["20230231000000", "2023-03-03T00:00:00.000Z"],
    ["20231231235960", "2024-01-01T00:00:00.000Z"],
  ])("%j is %s", (text, instant) => {
    expect(instantOf(text)).toBe(instant);
  });

  test.each([
    "",
    "live",
    "-1",
    "12345678901",
    "2024010112000",
    "202401011200000",
    "18991231235959",
    "20240001000000",
    "20241301000000",
    "20240100000000",
    "20240132000000",
    "20240101240000",
    "20240101006000",
    "20240101000061",
    "20240101120000Z",
    "20240101120000gmt",
    "20240101120000+08:00",
    "20240101t120000",
    "20240101T120000z",
    "20240101T120000GMT",
    "20240101T120000+0800",
    "20240101T120000+15:00",
    "20240101T120000+08:60",
    "20240101T120000.5",
    "2024-01-01T12:00:00.",
    "2024-01-01T12:00:00.1234",
    "2024-01-01T12:00:00+8",
    "2024-01-01T12:00:00 08:00",
    "2024-01-01 12:00:00",
    "2024-01-01T12:00",
    "2024-1-1T12:00:00",
    " 20240101120000",
    "20240101120000\n",
  ])("is not %j", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  test.each([
    ["20240101200000", "2024-01-01T12:00:00.000Z"],
    ["20240101T200000", "2024-01-01T12:00:00.000Z"],
    ["2024-01-01T20:00:00", "2024-01-01T12:00:00.000Z"],
    ["1704110400", "2024-01-01T12:00:00.000Z"],
    ["20240101120000GMT", "2024-01-01T12:00:00.000Z"],
    ["20240101T120000Z", "2024-01-01T12:00:00.000Z"],
    ["20240101T070000-05:00", "2024-01-01T12:00:00.000Z"],
  ])("%j of a client eight hours east is %s", (text, instant) => {
    expect(instantOf(text, UTC_8)).toBe(instant);
  });
});

describe("upstream", () => {
  test.each([
    ["20250930150000", 0, "20250930070000"],
    ["20250930150000", 3600, "20250930080000"],
    ["20250930150000GMT", 0, "20250930150000GMT"],
    ["20250930150000GMT", 3600, "20250930160000GMT"],
    ["2025-09-30T15:00:00", 0, "2025-09-30T07:00:00"],
    ["20250930T150000", 0, "20250930T070000"],
    ["20250930T150000Z", -1, "20250930T145959Z"],
    ["20240101T200000+08:00", 3600, "20240101T210000+08:00"],
    ["2024-01-01T20:00:00.5", 0, "2024-01-01T12:00:00.500"],
    ["2024-01-01T20:00:00.25Z", 0, "2024-01-01T20:00:00.250Z"],
    ["2024-01-01T20:00:00-0530", 0, "2024-01-01T20:00:00-05:30"],
    ["1704110400", -400, "1704110000"],
    ["5", -10, "-5"],
    ["20240101030000", 0, "20231231190000"],
  ])("%s of a client eight hours east, moved by %d s, is %s", (text, offsetS, expected) => {
    expect(normalisedTime(parseTime(text)!, UTC_8, offsetS)).toBe(expected);
  });
});

const secondsIn = (...date: [number, number, number, number, number, number]) => Date.UTC(...date) / 1000;
const wallMs = fc
  .integer({ min: secondsIn(1900, 0, 1, 0, 0, 0), max: secondsIn(9999, 11, 31, 23, 59, 59) })
  .map((seconds) => seconds * 1000);
const two = (value: number) => String(value).padStart(2, "0");
const zone = fc
  .record({ sign: fc.constantFrom("+", "-"), hours: fc.nat(14), minutes: fc.nat(59) })
  .map(({ sign, hours, minutes }) => ({
    suffix: `${sign}${two(hours)}:${two(minutes)}`,
    zoneMin: sign === "-" ? 0 - (hours * 60 + minutes) : hours * 60 + minutes,
  }));
const own = (suffix: string, zoneMin: number | undefined) => fc.constant({ suffix, zoneMin });
const dated = (layout: TimeLayout, zones: fc.Arbitrary<Pick<TimeValue, "suffix" | "zoneMin">>) =>
  fc.record({ wallMs, zone: zones }).map(({ wallMs, zone }) => ({ layout, wallMs, ...zone, hasFraction: false }));

const time: fc.Arbitrary<TimeValue> = fc.oneof(
  fc.integer({ min: 0, max: 9_999_999_999 }).map((seconds) => ({
    layout: "unix" as const,
    wallMs: seconds * 1000,
    zoneMin: 0,
    suffix: "",
    hasFraction: false,
  })),
  dated("compact", fc.oneof(own("", undefined), own("GMT", 0))),
  dated("basic", fc.oneof(own("", undefined), own("Z", 0), zone)),
  dated("extended", fc.oneof(own("", undefined), own("Z", 0), zone)),
  fc
    .tuple(dated("extended", zone), fc.nat(999))
    .map(([value, ms]) => ({ ...value, wallMs: value.wallMs + ms, hasFraction: true })),
);

test("what is formatted parses back", () => {
  fc.assert(
    fc.property(time, (value) => {
      expect(parseTime(formatTime(value))).toEqual(value);
    }),
    { numRuns: 2000 },
  );
});

test("a client's zone and the way back lead to the same instant", () => {
  const zoneMin = fc.integer({ min: -12, max: 14 }).map((hours) => hours * 60);
  fc.assert(
    fc.property(time, zoneMin, fc.integer({ min: -9999, max: 9999 }), (value, zoneMin, offsetS) => {
      const back = parseTime(normalisedTime(value, zoneMin, offsetS));
      fc.pre(back !== undefined);
      expect(instantMs(back!, 0)).toBe(instantMs(value, zoneMin) + offsetS * 1000);
    }),
  );
});

test("the calendar is that of UTC", () => {
  fc.assert(
    fc.property(wallMs, (ms) => {
      const { year, month, day, hour, minute, second } = calendar(ms);
      expect(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`).toBe(new Date(ms).toISOString());
    }),
  );
});

test("no text makes it throw", () => {
  const near = fc.string({ unit: fc.constantFrom("2", "0", "-", ":", "T", "Z", ".", "+", "GMT"), maxLength: 29 });
  const broken = fc.tuple(time, fc.nat(29)).map(([value, length]) => formatTime(value).slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.string(), near, broken), fc.integer(), (text, offsetS) => {
      const value = parseTime(text);
      if (value) normalisedTime(value, 0, offsetS);
    }),
  );
});
