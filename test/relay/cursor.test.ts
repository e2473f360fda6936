import { describe, expect, test } from "bun:test";
import type { Consumer, DropCounts } from "../../src/relay/consumer.ts";
import { Cursor } from "../../src/relay/cursor.ts";
import { Ring } from "../../src/relay/ring.ts";
import { MARK_EVERY_BYTES } from "../../src/relay/unit-index.ts";
import { allocate } from "../../src/system/memory.ts";

const CAPACITY = 65_536;
const UNIT = 1000;

const source = allocate(70_000);
for (let i = 0; i < source.bytes.length; i++) source.bytes[i] = i % 251;

/** Takes as many bytes as it has room for. */
class FakeConsumer implements Consumer {
  room = Number.POSITIVE_INFINITY;
  readonly offered: number[] = [];
  readonly taken: number[] = [];
  /** The counts of packets that it was told. */
  readonly told: number[] = [];

  write(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.offered.push(length);
    this.taken.push(...bytes.subarray(offset, offset + taken));
    return taken;
  }

  dropped({ droppedPackets }: DropCounts): void {
    this.told.push(droppedPackets);
  }

  end(): void {}
}

function setUp(start: { position: number; preamble?: Uint8Array } = { position: 0 }) {
  const ring = new Ring(CAPACITY);
  const consumer = new FakeConsumer();
  const cursor = new Cursor(ring, consumer, start);
  const append = (units: number, length = UNIT) => {
    for (let i = 0; i < units; i++) ring.append(source, ring.head % 251, length);
  };
  return { ring, consumer, cursor, append };
}

/** The bytes that `append` put at these positions. */
const stream = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => (from + i) % 251);

describe("Cursor", () => {
  test("writes what waits in one piece, in two where the ring wraps", () => {
    const { consumer, cursor, append } = setUp();
    append(60);
    cursor.write(1);
    expect(consumer.offered).toEqual([60_000]);
    append(20);
    cursor.write(2);
    expect(consumer.offered).toEqual([60_000, CAPACITY - 60_000, 80_000 - CAPACITY]);
    expect(consumer.taken).toEqual(stream(0, 80_000));
    expect([cursor.lag, cursor.isEmpty, cursor.sentBytes, cursor.emptiedAt]).toEqual([0, true, 80_000, 2]);
  });

  test("stays where the client stopped, and goes on only when it has drained", () => {
    const { consumer, cursor, append } = setUp();
    append(10);
    consumer.room = 4321;
    cursor.write(5);
    expect([cursor.blocked, cursor.position, cursor.lag]).toEqual([true, 4321, 10_000 - 4321]);
    cursor.write(6);
    expect(consumer.offered).toHaveLength(1);
    consumer.room = Number.POSITIVE_INFINITY;
    cursor.blocked = false;
    cursor.write(7);
    expect(consumer.taken).toEqual(stream(0, 10_000));
    expect(cursor.emptiedAt).toBe(7);
  });

  test("writes its preamble first, however little the client takes", () => {
    const preamble = Uint8Array.of(1, 2, 3, 4, 5);
    const { consumer, cursor, append } = setUp({ position: 500, preamble });
    append(2);
    for (let i = 0; i < 1000 && !cursor.isEmpty; i++) {
      consumer.room = 2;
      cursor.blocked = false;
      cursor.write(i);
    }
    expect(consumer.taken).toEqual([1, 2, 3, 4, 5, ...stream(500, 2000)]);
    expect(cursor.sentBytes).toBe(1505);
    expect(preamble).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  test("is due at once until its first byte is sent", () => {
    const { consumer, cursor, append } = setUp();
    cursor.write(3);
    expect(cursor.emptiedAt).toBe(Number.NEGATIVE_INFINITY);
    append(1);
    cursor.write(4);
    expect(consumer.taken).toHaveLength(UNIT);
    expect(cursor.emptiedAt).toBe(4);
  });
});

describe("skip", () => {
  test("finishes the unit that was begun, and counts whole units only", () => {
    const { ring, consumer, cursor, append } = setUp();
    append(10);
    consumer.room = 4321;
    cursor.write(0);
    append(40);
    cursor.skip(20_000);
    // Units of 1000 bytes: a start is noted at every second one. Half of the 20 000 remain.
    const from = ring.unitAtOrAfter(4321);
    expect(from.position - 4321).toBeLessThan(2000);
    expect(cursor.position).toBe(40_000);
    expect([cursor.droppedBytes, cursor.droppedPackets]).toEqual([40_000 - from.position, 40 - from.units]);
    consumer.room = Number.POSITIVE_INFINITY;
    cursor.blocked = false;
    cursor.write(1);
    expect(consumer.taken).toEqual([...stream(0, from.position), ...stream(40_000, 50_000)]);
  });

  test("tells the client of the first loss and of each 200th packet, not of those between", () => {
    const ring = new Ring(16 * CAPACITY);
    const consumer = new FakeConsumer();
    const cursor = new Cursor(ring, consumer, { position: 0 });
    ring.append(source, 0, MARK_EVERY_BYTES);
    cursor.write(0);
    for (const packets of [1, 198, 1, 1, 199, 999, 1]) {
      const before = cursor.droppedPackets;
      for (let i = 0; i < packets; i++) ring.append(source, 0, MARK_EVERY_BYTES);
      ring.markRandomAccess(0, new Uint8Array(0));
      ring.append(source, 0, MARK_EVERY_BYTES);
      cursor.skip(ring.capacity);
      expect(cursor.droppedPackets).toBe(before + packets);
      cursor.write(0);
    }
    expect(consumer.told).toEqual([1, 200, 400, 1399, 1400]);
  });

  test("prefers the newest random access point, if it is near enough", () => {
    for (const most of [20_000, 19_999]) {
      const { ring, cursor, append } = setUp();
      append(40);
      ring.markRandomAccess(188, new Uint8Array(0));
      append(20);
      cursor.skip(most);
      // Where no point is near enough: the first noted start at or behind half of it.
      expect(cursor.position).toBe(most === 20_000 ? 40_000 : ring.unitAtOrAfter(60_000 - most / 2).position);
      expect(cursor.droppedBytes).toBe(cursor.droppedPackets * UNIT);
    }
  });

  test("does not go back to a random access point that the client has passed", () => {
    const { ring, cursor, consumer, append } = setUp();
    ring.markRandomAccess(0, new Uint8Array(0));
    append(10);
    consumer.room = 9000;
    cursor.write(0);
    cursor.skip(60_000);
    expect([cursor.position, cursor.droppedBytes, cursor.droppedPackets]).toEqual([9000, 0, 0]);
  });

  test("twice still finishes what was begun, once", () => {
    const { consumer, cursor, append } = setUp({ position: 0, preamble: Uint8Array.of(7, 7, 7) });
    consumer.room = 1;
    append(10);
    cursor.write(0);
    append(40);
    cursor.skip(20_000);
    append(60);
    cursor.skip(20_000);
    consumer.room = Number.POSITIVE_INFINITY;
    cursor.blocked = false;
    cursor.write(1);
    const begun = consumer.taken.length - 10_000;
    expect(consumer.taken).toEqual([7, 7, 7, ...stream(0, begun - 3), ...stream(100_000, 110_000)]);
    expect(cursor.droppedBytes).toBe(100_000 - (begun - 3));
    expect(cursor.droppedPackets).toBe(cursor.droppedBytes / UNIT);
  });

  test("leaves no more than it may, though a unit is longer", () => {
    const { ring, consumer, cursor, append } = setUp();
    consumer.room = 10;
    append(1, 40_000);
    cursor.write(0);
    append(1, 20_000);
    cursor.skip(50_000);
    expect([cursor.lag, cursor.droppedBytes, consumer.told]).toEqual([20_000, 0, []]);
    append(60);
    consumer.room = Number.POSITIVE_INFINITY;
    cursor.blocked = false;
    cursor.skip(60_000);
    cursor.write(1);
    expect(consumer.taken.slice(0, 40_000)).toEqual(stream(0, 40_000));
    expect(cursor.droppedBytes + consumer.taken.length).toBe(ring.head);
  });

  test("of a byte stream goes to where seven TS packets begin, and counts them as one", () => {
    const { ring, consumer, cursor } = setUp();
    const advance = (length: number) => {
      ring.bytes.set(source.bytes.subarray(ring.head % 251, (ring.head % 251) + length), ring.headOffset);
      ring.advance(length);
    };
    advance(10_000);
    consumer.room = 100;
    cursor.write(0);
    advance(30_001);
    cursor.skip(20_000);
    expect([cursor.position, cursor.droppedBytes, cursor.droppedPackets]).toEqual([23 * 1316, 22 * 1316, 22]);
    consumer.room = Number.POSITIVE_INFINITY;
    cursor.blocked = false;
    cursor.write(1);
    expect(consumer.taken).toEqual([...stream(0, 1316), ...stream(23 * 1316, 40_001)]);
  });
});
