import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Ring } from "../../src/relay/ring.ts";
import { MARK_EVERY_BYTES } from "../../src/relay/unit-index.ts";
import { allocate } from "../../src/system/memory.ts";

const KIB_64 = 65_536;
const MAX_UNIT = 65_507;
const NO_PREAMBLE = new Uint8Array(0);

/** Bytes that repeat after a prime, so that a byte in the wrong place shows. */
const source = allocate(4 * MAX_UNIT);
for (let i = 0; i < source.bytes.length; i++) source.bytes[i] = i % 251;

/** A ring, and beside it the plain array of all bytes ever appended. */
class Pair {
  readonly ring: Ring;
  readonly starts: { position: number; units: number }[] = [];
  /** Where the oldest byte is that must still be there. */
  floor = 0;
  #all = new Uint8Array(1 << 20);

  constructor(capacity: number) {
    this.ring = new Ring(capacity);
  }

  append(length: number): void {
    const { ring } = this;
    const from = (ring.head * 7) % (source.bytes.length - length);
    if (ring.head + length > this.#all.length) {
      const bigger = new Uint8Array(this.#all.length * 2);
      bigger.set(this.#all);
      this.#all = bigger;
    }
    this.#all.set(source.bytes.subarray(from, from + length), ring.head);
    this.starts.push({ position: ring.head, units: ring.units });
    ring.append(source, from, length);
    this.floor = Math.max(this.floor, ring.head - ring.capacity);
  }

  resize(capacity: number): void {
    this.ring.resize(capacity);
    this.floor = Math.max(this.floor, this.ring.head - capacity);
  }

  expected(from: number, to: number): Uint8Array {
    return this.#all.subarray(from, to);
  }
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const length = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 1500 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: MAX_UNIT }) },
  { weight: 1, arbitrary: fc.constantFrom(1, KIB_64 / 2, MAX_UNIT) },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ length, times: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ markWithin: fc.nat(1315) }) },
  { weight: 3, arbitrary: fc.record({ blocks: fc.integer({ min: 1, max: 6 }) }) },
);

describe("Ring", () => {
  test("holds exactly the newest bytes, across wraps and changes of size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat(1 << 30)),
        (blocks, steps, random) => {
          const pair = new Pair(blocks * KIB_64);
          const { ring } = pair;
          const pick = (min: number, max: number) => min + (random.next().value! % (max - min + 1));
          for (const what of steps) {
            if ("length" in what) for (let i = 0; i < what.times; i++) pair.append(what.length);
            else if ("blocks" in what) pair.resize(what.blocks * KIB_64);
            else ring.markRandomAccess(what.markWithin, NO_PREAMBLE);

            const { floor } = pair;
            expect(same(ring.copyOut(floor, ring.head), pair.expected(floor, ring.head))).toBe(true);
            const from = pick(floor, ring.head);
            const to = pick(from, ring.head);
            expect(same(ring.copyOut(from, to), pair.expected(from, to))).toBe(true);
            if (from < ring.head) expect(ring.bytes[ring.offsetOf(from)]!).toBe(pair.expected(from, from + 1)[0]!);
            expect([ring.holds(floor), ring.holds(ring.head)]).toEqual([true, true]);
            expect(ring.holds(floor - 1)).toBe(false);
            expect(ring.units).toBe(pair.starts.length);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("unitAtOrAfter answers the start of a unit, close by, and the units before it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(1 << 30), { maxLength: 8 }), (steps, random) => {
        const pair = new Pair(2 * KIB_64);
        const { ring } = pair;
        let largest = 0;
        for (const what of steps) {
          if ("blocks" in what) pair.resize(what.blocks * KIB_64);
          else if ("markWithin" in what) ring.markRandomAccess(what.markWithin, NO_PREAMBLE);
          else {
            largest = Math.max(largest, what.length);
            for (let i = 0; i < what.times; i++) pair.append(what.length);
          }
          for (const n of [0, ...random]) {
            const position = pair.floor + (n % (ring.head - pair.floor + 1));
            const found = ring.unitAtOrAfter(position);
            expect(found.position).toBeWithin(position, Math.min(ring.head, position + MARK_EVERY_BYTES + largest) + 1);
            if (found.position === ring.head) expect(found.units).toBe(ring.units);
            else expect(found).toEqual(pair.starts[found.units]!);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("has starts of units in all of it, however often a decoder can begin", () => {
    const pair = new Pair(4 * KIB_64);
    const { ring } = pair;
    for (let i = 0; i < 3000; i++) {
      ring.markRandomAccess(0, NO_PREAMBLE);
      pair.append(188);
    }
    const oldest = ring.unitAtOrAfter(pair.floor);
    expect(oldest.position - pair.floor).toBeLessThan(2 * MARK_EVERY_BYTES);
    expect(ring.head - ring.randomAccess!.position).toBeLessThan(2 * MARK_EVERY_BYTES);
  });

  test("knows the newest random access point: its place, its unit and how many came before", () => {
    const pair = new Pair(KIB_64);
    expect(pair.ring.randomAccess).toBeUndefined();
    const preamble = Uint8Array.of(1, 2, 3);
    for (let i = 0; i < 3; i++) pair.append(2000);
    pair.ring.markRandomAccess(188, preamble, 900);
    pair.append(1316);
    pair.append(1316);
    expect(pair.ring.randomAccess).toEqual({ position: 6188, unitPosition: 6000, units: 3, preamble, pts: 900 });
    expect(pair.ring.unitAtOrAfter(5000)).toEqual({ position: 6000, units: 3 });
  });

  test("recalls what it holds, across its end, and nothing else", () => {
    const pair = new Pair(KIB_64);
    for (let i = 0; i < 100; i++) pair.append(1000 + i * 7);
    const { ring } = pair;
    const into = allocate(3000);
    const oldest = ring.head - ring.capacity;
    for (const position of [oldest, oldest + 1, ring.head - ring.headOffset - 500, ring.head - 1000]) {
      into.bytes.fill(0xee);
      expect(ring.recall(position, into, 10, 1000)).toBe(true);
      expect(Buffer.compare(into.bytes.subarray(10, 1010), ring.copyOut(position, position + 1000))).toBe(0);
      expect([into.bytes[9], into.bytes[1010]]).toEqual([0xee, 0xee]);
    }
    expect(ring.recall(oldest - 1, into, 0, 1000)).toBe(false);
    expect(ring.recall(ring.head - 999, into, 0, 1000)).toBe(false);
  });

  test("does not hold what was overwritten before it grew", () => {
    const pair = new Pair(KIB_64);
    for (let i = 0; i < 4; i++) pair.append(30_000);
    pair.resize(4 * KIB_64);
    expect(pair.ring.holds(120_000 - KIB_64)).toBe(true);
    expect(pair.ring.holds(120_000 - KIB_64 - 1)).toBe(false);
  });
});

test("units of a byte stream begin every seven TS packets, also in a ring that is used again", () => {
  const ring = new Ring(64 * 1024);
  for (const length of [1000, 2000, 500]) ring.advance(length);
  expect(ring.unitAtOrAfter(0)).toEqual({ position: 0, units: 0 });
  expect(ring.unitAtOrAfter(1)).toEqual({ position: 1316, units: 1 });
  expect(ring.unitAtOrAfter(2633)).toEqual({ position: 3500, units: 3 });
  ring.reset();
  expect(ring.unitAtOrAfter(0)).toEqual({ position: 0, units: 0 });
  ring.advance(1400);
  expect(ring.unitAtOrAfter(1)).toEqual({ position: 1316, units: 1 });
});
