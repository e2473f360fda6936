import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PoolState } from "../../src/relay/budget.ts";
import { SLOT_BYTES } from "../../src/relay/budget.ts";
import { consumerLimit, SlowClientDetector } from "../../src/relay/limit.ts";

const SLOTS = 16_384;
/** However large the budget. */
const MOST_SLOTS = 3072;
/** Two reads of 16 KiB: whatever the budget. */
const LEAST_LIMIT_BYTES = 32 * 1024;

function pool(slots: number, usedSlots = 0, streams = 1): PoolState {
  return { totalBytes: slots * SLOT_BYTES, usedBytes: usedSlots * SLOT_BYTES, streams };
}

describe("a consumer's limit", () => {
  test.each([
    ["a share of 64, burst 3", pool(SLOTS, 0, 256), false, 64 * 3],
    ["a share of 64, burst 1.5", pool(SLOTS, 14_000, 256), false, 64 * 1.5],
    ["a share of 64, no burst", pool(SLOTS, 16_300, 256), false, 64],
    ["a share of 64, slow", pool(SLOTS, 0, 256), true, 64 * 0.8],
    ["a share of 1024 by 16 streams", pool(SLOTS, 0, 16), false, MOST_SLOTS],
    ["a share of 1024, slow", pool(SLOTS, 0, 16), true, 1024 * 0.8],
    ["one stream has more than anybody needs", pool(SLOTS), false, MOST_SLOTS],
    ["no stream yet", pool(SLOTS, 0, 0), false, MOST_SLOTS],
    ["a pool of 1000 keeps a reserve", pool(1000), false, 1000 - 64],
    ["a pool of 200 keeps a reserve", pool(200), false, 136],
    ["a pool of 100 keeps half", pool(100), false, 50],
  ] as const)("with %s", (_, state, isSlow, slots) => {
    expect(consumerLimit(state, isSlow)).toBe(Math.floor(slots * SLOT_BYTES));
  });

  test("is a whole number, never below two reads, nor above what the pool has or live television can use", () => {
    const state = fc.record({
      slots: fc.integer({ min: 1, max: 100_000 }),
      used: fc.nat(),
      streams: fc.integer({ min: 0, max: 256 }),
    });
    fc.assert(
      fc.property(state, fc.boolean(), ({ slots, used, streams }, isSlow) => {
        const { totalBytes, ...rest } = pool(slots, Math.min(used, slots), streams);
        const limit = consumerLimit({ totalBytes, ...rest }, isSlow);
        expect(Number.isInteger(limit)).toBe(true);
        expect(limit).toBeGreaterThanOrEqual(LEAST_LIMIT_BYTES);
        expect(limit).toBeLessThanOrEqual(Math.max(LEAST_LIMIT_BYTES, Math.min(totalBytes, MOST_SLOTS * SLOT_BYTES)));
      }),
    );
  });

  test("is smaller in a smaller pool", () => {
    const sizes = [1, 16, 47, 64, 65, 100, 111, 128, 1024, SLOTS];
    const limits = sizes.map((slots) => consumerLimit(pool(slots), false));
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
    expect(new Set(limits).size).toBeGreaterThan(5);
  });
});

describe("a client", () => {
  const LIMIT = 1000;

  function lagging(...times: number[]): SlowClientDetector {
    const detector = new SlowClientDetector();
    for (const now of times) detector.sample(LIMIT, LIMIT, now);
    return detector;
  }

  test("that lags for more than 3 s is slow, with short pauses too", () => {
    const detector = lagging();
    expect(detector.isSlow(0)).toBe(false);
    for (let now = 0; now <= 3000; now += 1000) detector.sample(LIMIT, LIMIT, now);
    expect(detector.isSlow(3000)).toBe(false);
    detector.sample(LIMIT, LIMIT, 3001);
    expect(detector.isSlow(3001)).toBe(true);
    detector.sample(LIMIT, LIMIT, 6001);
    expect(detector.isSlow(6001)).toBe(true);
  });

  test("is so no more when it has not lagged for 3 s, and must then lag for as long again", () => {
    const detector = lagging(0, 3000, 3100);
    expect(detector.isSlow(6100)).toBe(true);
    expect(detector.isSlow(6101)).toBe(false);
    for (const now of [6101, 9101]) {
      detector.sample(LIMIT, LIMIT, now);
      expect(detector.isSlow(now)).toBe(false);
    }
    detector.sample(LIMIT, LIMIT, 9102);
    expect(detector.isSlow(9102)).toBe(true);
  });

  test("lags when more than half of its limit waits", () => {
    for (const queued of [LIMIT / 2, LIMIT / 2 + 1]) {
      const detector = lagging();
      for (let now = 0; now <= 4000; now += 1000) detector.sample(queued, LIMIT, now);
      expect(detector.isSlow(4000)).toBe(queued > LIMIT / 2);
    }
  });

  test("is not slow because somebody asks", () => {
    const detector = lagging(0, 1000);
    for (let now = 0; now < 10_000; now += 10) expect(detector.isSlow(now)).toBe(false);
    detector.sample(LIMIT, LIMIT, 3000);
    detector.sample(LIMIT, LIMIT, 3001);
    expect(detector.isSlow(3001)).toBe(true);
  });
});
