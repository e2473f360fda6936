import { expect, test } from "bun:test";
import fc from "fast-check";
import { Budget } from "../../src/relay/budget.ts";
import { Cursor } from "../../src/relay/cursor.ts";
import { type ByteInspector, CursorQueueStats, Tap } from "../../src/relay/flow.ts";
import { Ring } from "../../src/relay/ring.ts";
import { Stream, type Upstream } from "../../src/relay/stream.ts";
import { allocate } from "../../src/system/memory.ts";

const CAPACITY = 64 * 1024;

class FakeInspector implements ByteInspector {
  readonly seen: number[] = [];
  misses = 0;

  look(bytes: Uint8Array, offset: number, length: number): void {
    for (const byte of bytes.subarray(offset, offset + length)) this.seen.push(byte);
  }

  missed(): void {
    this.misses++;
  }
}

const unit = allocate(CAPACITY);
for (let i = 0; i < CAPACITY; i++) unit.bytes[i] = i % 251;

test("an inspector is shown all that comes from then on, in order, around the end of the ring and over resizes", () => {
  const step = fc.record({ length: fc.integer({ min: 1, max: 20_000 }), resize: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
      const ring = new Ring(CAPACITY);
      ring.append(unit, 0, 60_000);
      const inspector = new FakeInspector();
      const inspection = new Tap(ring, inspector);
      const expected: number[] = [];
      for (const { length, resize } of steps) {
        ring.append(unit, 0, length);
        for (let i = 0; i < length; i++) expected.push(i % 251);
        if (resize) ring.resize(ring.capacity === CAPACITY ? 2 * CAPACITY : CAPACITY);
        inspection.catchUp();
      }
      expect(Buffer.compare(Buffer.from(inspector.seen), Buffer.from(expected))).toBe(0);
      expect(inspector.misses).toBe(1);
    }),
    { numRuns: 20 },
  );
});

test("an inspector is told when bytes were overwritten before it saw them", () => {
  const ring = new Ring(CAPACITY);
  const inspector = new FakeInspector();
  const inspection = new Tap(ring, inspector);
  for (let i = 0; i < 3; i++) ring.append(unit, 0, 40_000);
  inspection.catchUp();
  expect(inspector.misses).toBe(2);
  expect(inspector.seen).toEqual([]);
  ring.append(unit, 5, 3);
  inspection.catchUp();
  expect(inspector.seen).toEqual([5, 6, 7]);
});

test("a stream tells what has come and when, and lets it be inspected", () => {
  const stream = new Stream(new Budget(16_384));
  let next = 0;
  const upstream: Upstream = {
    tickMs: 25,
    info: { protocol: "multicast" },
    close() {},
    tick: () => {
      if (next > 0) stream.append(unit, 0, next);
    },
  };
  stream.start(() => upstream);
  stream.tick(100);
  expect([stream.receivedBytes, stream.heardAt]).toEqual([0, Number.NEGATIVE_INFINITY]);
  next = 10;
  stream.tick(200);
  const inspector = new FakeInspector();
  stream.inspect(inspector);
  next = 3;
  stream.tick(300);
  stream.inspect(undefined);
  stream.tick(400);
  expect([stream.receivedBytes, stream.heardAt]).toEqual([16, 400]);
  expect(inspector.seen).toEqual([0, 1, 2]);
  stream.close();
});

test("a client's queue is its lag, its peak what it was at most", () => {
  const budget = new Budget(16_384);
  const stream = new Stream(budget);
  const upstream: Upstream = { tickMs: 25, info: { protocol: "multicast" }, close() {}, tick() {} };
  stream.start(() => upstream);
  let room = 0;
  const sink = {
    write: (_: Uint8Array, __: number, length: number) => Math.min(room, length),
    end() {},
  };
  const cursor = stream.attach(() => sink, false);
  const queue = new CursorQueueStats(cursor, budget);
  expect(cursor).toBeInstanceOf(Cursor);
  stream.append(unit, 0, 5000);
  stream.tick(100);
  expect([queue.queuedBytes, queue.peakBytes]).toEqual([5000, 5000]);
  room = 1_000_000;
  stream.drained(cursor);
  expect([queue.queuedBytes, queue.peakBytes]).toEqual([0, 5000]);
  expect(queue.limitBytes).toBe(budget.lagLimit());
  expect([queue.backpressureEvents, queue.droppedPackets, queue.isSlow]).toEqual([0, 0, false]);
  stream.close();
});
