import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SLOT_BYTES } from "../../src/relay/budget.ts";
import { clientLimit, Gate, LEAST_LIMIT_BYTES, type PoolState, SlowMark } from "../../src/relay/gate.ts";

const SLOTS = 16_384;

function pool(slots: number, usedSlots = 0, clients = 1): PoolState {
  return { totalBytes: slots * SLOT_BYTES, usedBytes: usedSlots * SLOT_BYTES, clients };
}

describe("a client's limit", () => {
  test.each([
    ["a share of 64, burst 3", pool(SLOTS, 0, 256), false, 64 * 3],
    ["a share of 64, burst 1.5", pool(SLOTS, 14_000, 256), false, 64 * 1.5],
    ["a share of 64, no burst", pool(SLOTS, 16_300, 256), false, 64],
    ["a share of 64, slow", pool(SLOTS, 0, 256), true, 64 * 0.8],
    ["16 clients", pool(SLOTS, 0, 16), false, 1024 * 3],
    ["one client has all but the reserve", pool(SLOTS), false, SLOTS - 64],
    ["a pool of 200", pool(200), false, 136],
  ] as const)("with %s", (_, state, isSlow, slots) => {
    expect(clientLimit(state, isSlow)).toBeCloseTo(slots * SLOT_BYTES, 3);
  });

  test("never falls below two reads, nor passes what the pool has", () => {
    const slots = fc.integer({ min: 1, max: 100_000 });
    const property = fc.property(
      slots,
      fc.nat(),
      fc.integer({ min: 0, max: 256 }),
      fc.boolean(),
      (total, used, n, slow) => {
        const state = pool(total, Math.min(used, total), n);
        const limit = clientLimit(state, slow);
        expect(limit).toBeGreaterThanOrEqual(LEAST_LIMIT_BYTES);
        expect(limit).toBeLessThanOrEqual(Math.max(LEAST_LIMIT_BYTES, state.totalBytes));
      },
    );
    fc.assert(property);
  });

  test("is smaller in a smaller pool", () => {
    const sizes = [1, 16, 47, 64, 65, 100, 111, 128, 1024, SLOTS];
    const limits = sizes.map((slots) => clientLimit(pool(slots), false));
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
  });
});

describe("the gate", () => {
  const LIMIT = 1000;

  test("pauses at three quarters, resumes at half, and counts each pause once", () => {
    const gate = new Gate();
    expect(gate.mayRead(749, LIMIT)).toBe(true);
    expect(gate.mayRead(750, LIMIT)).toBe(false);
    expect(gate.mayRead(900, LIMIT)).toBe(false);
    expect(gate.mayRead(501, LIMIT)).toBe(false);
    expect([gate.isPaused, gate.backpressureEvents]).toEqual([true, 1]);
    expect(gate.mayRead(500, LIMIT)).toBe(true);
    expect([gate.isPaused, gate.backpressureEvents]).toEqual([false, 1]);
    gate.mayRead(800, LIMIT);
    expect(gate.backpressureEvents).toBe(2);
    gate.open();
    expect(gate.isPaused).toBe(false);
  });

  test("goes by the limit of the moment", () => {
    const gate = new Gate();
    expect(gate.mayRead(500, LIMIT)).toBe(true);
    expect(gate.mayRead(500, LIMIT / 2)).toBe(false);
    expect(gate.mayRead(500, LIMIT * 2)).toBe(true);
  });
});

describe("a client", () => {
  const state = pool(SLOTS, 0, 256);
  const share = 64 * SLOT_BYTES;

  test("is slow after 3 s above the mark, and no longer when it has caught up", () => {
    const mark = new SlowMark();
    for (let now = 0; now <= 3000; now += 100) expect(mark.sample(2 * share, state, now)).toBe(false);
    expect(mark.isSlow).toBe(false);
    expect(mark.sample(2 * share, state, 3001)).toBe(true);
    expect(mark.isSlow).toBe(true);
    expect(mark.sample(1.3 * share, state, 3100)).toBe(false);
    expect(mark.isSlow).toBe(true);
    for (let i = 0; i < 20; i++) mark.sample(0, state, 3200 + i);
    expect(mark.isSlow).toBe(false);
  });

  test("that comes down in between starts its 3 s anew", () => {
    const mark = new SlowMark();
    mark.sample(2 * share, state, 0);
    for (let i = 0; i < 10; i++) mark.sample(0, state, 2000);
    mark.sample(20 * share, state, 2900);
    mark.sample(2 * share, state, 5800);
    expect(mark.isSlow).toBe(false);
  });
});
