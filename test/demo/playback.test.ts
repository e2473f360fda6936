import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Playback, positionTicks, rangedPlayback, soughtPlayback } from "../../src/demo/playback.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const HOUR_MS = 3_600_000;
const LIVE: Playback = { startMs: NOW, endMs: undefined };

test("the position grows with the time, in 90 kHz ticks", () => {
  expect([positionTicks(0), positionTicks(1000.9), positionTicks(NOW)]).toEqual([0, 90_000, NOW * 90]);
  expect(Number.isSafeInteger(positionTicks(NOW))).toBe(true);
});

describe("playseek", () => {
  test.each<[query: string, startMs: number, endMs: number | undefined]>([
    ["playseek=20261124100000-20261124110000", NOW - 2 * HOUR_MS, NOW - HOUR_MS],
    ["a=b&PlaySeek=20261124100000-", NOW - 2 * HOUR_MS, undefined],
    ["playseek=2026-11-24T12%3A00%3A00%2B02%3A00", NOW - 2 * HOUR_MS, undefined],
    [`playseek=${NOW / 1000 - 60}-${NOW / 1000}`, NOW - 60_000, NOW],
    // The future is what is on now, and its end counts.
    ["playseek=20261124130000-20261124140000", NOW, NOW + 2 * HOUR_MS],
    ["playseek=20261124100000-20261124090000", NOW - 2 * HOUR_MS, undefined],
    ["playseek=19000101000000", 0, undefined],
    ["playseek=live", NOW, undefined],
    ["playseek=%", NOW, undefined],
    ["", NOW, undefined],
  ])("%j plays from %d to %p", (query, startMs, endMs) => {
    expect(soughtPlayback(asByteString(query), NOW)).toEqual({ startMs, endMs });
  });
});

describe("Range", () => {
  const sought: Playback = { startMs: NOW - 2 * HOUR_MS, endMs: NOW - HOUR_MS };
  test.each<[range: string, expected: Playback | undefined]>([
    ["clock=20261124T110000Z-", { startMs: NOW - HOUR_MS, endMs: undefined }],
    ["clock=20261124T110000Z-20261124T113000Z;time=x", { startMs: NOW - HOUR_MS, endMs: NOW - HOUR_MS / 2 }],
    ["npt=0-", sought],
    ["npt=60.5-0:02:00", { startMs: sought.startMs + 60_500, endMs: sought.startMs + 120_000 }],
    ["npt=now-", LIVE],
    ["npt=99999999999999999999-", { startMs: NOW, endMs: undefined }],
    ["npt=-5", undefined],
    ["npt=0-x", undefined],
    ["clock=yesterday-", undefined],
    ["smpte=0:0:0-", undefined],
    ["", undefined],
  ])("%j of what is sought is %j", (range, expected) => {
    expect(rangedPlayback(range, sought, NOW)).toEqual(expected);
  });

  test("of any text starts between 1970 and now, and ends later", () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom("npt=", "clock="), fc.string()).map(([a, b]) => a + b),
    );
    fc.assert(
      fc.property(text, (range) => {
        const { startMs, endMs = Number.POSITIVE_INFINITY } = rangedPlayback(range, sought, NOW) ?? sought;
        expect(startMs).toBeWithin(0, NOW + 1);
        expect(endMs).toBeGreaterThan(startMs);
      }),
    );
  });
});
