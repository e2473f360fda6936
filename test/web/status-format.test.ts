import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  formatBandwidth,
  formatBytes,
  formatCount,
  formatDateTime,
  formatDuration,
  formatPercent,
  formatTick,
  formatTime,
  percentOf,
} from "../../src/web/status/format.ts";

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.7, "1.00 KB"],
    [1000, "1.00 KB"],
    [1_234_567, "1.23 MB"],
    [999_996, "1.00 MB"],
    [5e9, "5.00 GB"],
    [1e18, "1000.00 PB"],
    [undefined, "–"],
  ])("%p", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("never need more than three digits before the point", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e17, noNaN: true }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^\d{1,3}(\.\d\d)? [KMGTP]?B$/);
      }),
    );
  });
});

test("bandwidth in the chosen unit", () => {
  expect(formatBandwidth(1_050_000, "bits")).toBe("8.40 Mbit/s");
  expect(formatBandwidth(1_050_000, "bytes")).toBe("1.05 MB/s");
  expect(formatBandwidth(200, "bits")).toBe("1.60 kbit/s");
  expect(formatBandwidth(undefined, "bits")).toBe("–");
});

test("ticks without needless zeros", () => {
  expect([0, 100, 2_500_000, 20_000_000].map((rate) => formatTick(rate, "bits"))).toEqual([
    "0 bit/s",
    "100 bit/s",
    "2.5 Mbit/s",
    "20 Mbit/s",
  ]);
});

test("durations begin with the first part that counts", () => {
  expect([0, -5, 59_999, 60_000, 3_600_000, 93_784_000].map(formatDuration)).toEqual([
    "0s",
    "0s",
    "59s",
    "1m 0s",
    "1h 0m 0s",
    "1d 2h 3m 4s",
  ]);
  expect(formatDuration(undefined)).toBe("–");
});

test("counts and percentages", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
  expect(formatPercent(percentOf(1, 3))).toBe("33 %");
  expect(percentOf(5, 0)).toBeUndefined();
  expect(percentOf(undefined, 3)).toBeUndefined();
  expect(percentOf(9, 3)).toBe(100);
});

test("times in the local zone, always as wide", () => {
  const noon = new Date(2026, 0, 5, 9, 3, 7).getTime();
  expect(formatTime(noon)).toBe("09:03:07");
  expect(formatDateTime(noon)).toBe("2026-01-05 09:03:07");
  expect(formatDateTime(undefined)).toBe("–");
});
