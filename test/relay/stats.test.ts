import { expect, test } from "bun:test";
import fc from "fast-check";
import { Hub } from "../../src/relay/hub.ts";
import { consumerLimit } from "../../src/relay/limit.ts";
import { Ring } from "../../src/relay/ring.ts";
import { type ByteInspector, Tap } from "../../src/relay/stats.ts";
import { allocate } from "../../src/system/memory.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { FAKE_ABOUT, FakeConsumer, FakeStream, FakeUpstream, fakePlan } from "../fakes/upstream.ts";

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
      const tap = new Tap(ring, inspector);
      const expected: number[] = [];
      for (const { length, resize } of steps) {
        ring.append(unit, 0, length);
        for (let i = 0; i < length; i++) expected.push(i % 251);
        if (resize) ring.resize(ring.capacity === CAPACITY ? 2 * CAPACITY : CAPACITY);
        tap.catchUp(0);
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
  const tap = new Tap(ring, inspector);
  for (let i = 0; i < 3; i++) ring.append(unit, 0, 40_000);
  tap.catchUp(0);
  expect(inspector.misses).toBe(2);
  expect(inspector.seen).toEqual([]);
  ring.append(unit, 5, 3);
  tap.catchUp(0);
  expect(inspector.seen).toEqual([5, 6, 7]);
});

test("a stream tells what has come and when, and lets it be inspected", () => {
  const { stream, upstream, ...all } = new FakeStream();
  let next = 0;
  upstream.onTick = () => next > 0 && upstream.parent.append(unit, 0, next);
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
  next = 0;
  stream.tick(500);
  expect([stream.receivedBytes, stream.heardAt]).toEqual([16, 400]);
  expect(inspector.seen).toEqual([0, 1, 2]);
  expect(stream.about).toBe(FAKE_ABOUT);
  stream.detach(all.first);
});

test("a stream whose inspector throws goes on without it", () => {
  const consumer = new FakeConsumer();
  const { stream, upstream, parent, first } = new FakeStream({ consumer });
  const inspector = new FakeInspector();
  let looks = 0;
  inspector.look = () => {
    looks++;
    throw new Error("fault in look");
  };
  stream.inspect(inspector);
  upstream.onTick = () => upstream.parent.append(unit, 0, 10);
  for (const now of [100, 200, 300]) stream.tick(now);
  expect([looks, consumer.bytes.length, consumer.ends.length]).toEqual([1, 30, 0]);
  expect(parent.log.lines).toEqual([expect.stringMatching(/^ERROR fake:\/\/upstream: .*fault in look/s)]);
  stream.detach(first);
});

test("what waits for a consumer is its lag, its peak what it was at most", () => {
  const hub = new Hub({ bufferSlots: 16_384, fastStart: false, log: recordingLog() });
  const upstream = new FakeUpstream();
  const consumer = new FakeConsumer();
  consumer.room = 0;
  const queue = hub.join(fakePlan(upstream), consumer);
  upstream.parent.append(unit, 0, 5000);
  upstream.parent.wake();
  expect([queue.queuedBytes, queue.peakBytes]).toEqual([5000, 5000]);
  consumer.room = 1_000_000;
  queue.drained();
  expect([queue.queuedBytes, queue.peakBytes]).toEqual([0, 5000]);
  expect(queue.limitBytes).toBe(consumerLimit(hub.budget, false));
  expect([queue.backpressureEvents, queue.droppedPackets, queue.droppedBytes, queue.isSlow]).toEqual([0, 0, 0, false]);
  expect(queue.source.receivedBytes).toBe(5000);
  queue.close();
});
