/** Streams with random units and clients of random speed: what each client gets is judged byte by byte. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SLOT_BYTES } from "../../src/relay/budget.ts";
import type { Consumer } from "../../src/relay/consumer.ts";
import type { Cursor } from "../../src/relay/cursor.ts";
import { consumerLimit } from "../../src/relay/limit.ts";
import { Stream } from "../../src/relay/stream.ts";
import { allocate } from "../../src/system/memory.ts";
import { FakeStreamParent, FakeUpstream, fakePlan } from "../fakes/upstream.ts";

const MAX_UNIT = 65_507;
const HEAD_BYTES = 8;
const LEAST_RING_BYTES = 256 * 1024;
const PREAMBLE = Uint8Array.from({ length: 376 }, (_, i) => 255 - (i % 200));

/** Content of units: number n is `filler` from `n % 251` on, behind its number and length. */
const filler = Uint8Array.from({ length: MAX_UNIT + 251 }, (_, i) => i % 241);
/** What an upstream receives into, and what clients compare with: `append` lets clients write before it copies. */
const received = allocate(MAX_UNIT);
const compared = new Uint8Array(MAX_UNIT);

/** Writes a unit to the start of `area`. */
function writeUnit(area: Uint8Array, number: number, length: number): Uint8Array {
  const unit = area.subarray(0, length);
  unit.set(filler.subarray(number % 251, (number % 251) + length));
  const view = new DataView(unit.buffer, unit.byteOffset);
  view.setUint32(0, number);
  view.setUint32(4, length);
  return unit;
}

/** A client that takes what it has room for, and reads the units out of it. */
class Client implements Consumer {
  cursor!: Cursor;
  room: number;
  /** Units delivered whole; the first one counts too when it began at a random access point. */
  readonly numbers: number[] = [];
  ends = 0;
  isGone = false;
  /** Bytes still expected before the first whole unit: a preamble and the rest of a unit. */
  #opening: Uint8Array;
  #rest: Uint8Array = new Uint8Array(0);
  readonly #lengths: readonly number[];

  constructor(room: number, opening: Uint8Array, lengths: readonly number[]) {
    this.room = room;
    this.#opening = opening;
    this.#lengths = lengths;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    expect(this.ends).toBe(0);
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.#read(Buffer.concat([this.#rest, bytes.subarray(offset, offset + taken)]));
    return taken;
  }

  end(): void {
    this.ends++;
  }

  get isBetweenUnits(): boolean {
    return this.#rest.length === 0 && this.#opening.length === 0;
  }

  #read(bytes: Uint8Array): void {
    const opened = Math.min(bytes.length, this.#opening.length);
    if (Buffer.compare(bytes.subarray(0, opened), this.#opening.subarray(0, opened)) !== 0) throw new Error("opening");
    this.#opening = this.#opening.subarray(opened);
    let at = opened;
    while (bytes.length - at >= HEAD_BYTES) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at);
      const number = view.getUint32(0);
      const length = view.getUint32(4);
      // Said here, because a number that is read from the middle of a unit makes no sense as a length.
      if (this.#lengths[number] !== length) throw new Error(`no unit begins behind unit ${this.numbers.at(-1)}`);
      if (bytes.length - at < length) break;
      const expected = writeUnit(compared, number, length);
      if (Buffer.compare(bytes.subarray(at, at + length), expected) !== 0) throw new Error(`unit ${number} is damaged`);
      this.numbers.push(number);
      at += length;
    }
    this.#rest = bytes.slice(at);
  }
}

/** One stream, its clients, and what has been sent. */
class World {
  readonly stream: Stream;
  readonly lengths: number[] = [];
  readonly clients: Client[] = [];
  now = 1000;
  readonly upstream = new FakeUpstream();
  readonly #parent: FakeStreamParent;
  readonly #firsts = new Map<Client, number>();
  #point: { unit: number; within: number } | undefined;

  /** The first client is there before the stream is opened. */
  constructor(parent: FakeStreamParent, firstRoom: number) {
    this.#parent = parent;
    this.stream = new Stream(fakePlan(this.upstream), parent);
    this.join(firstRoom, false);
    this.stream.start(this.now);
  }

  join(room: number, fastStart: boolean): void {
    const { ring } = this.stream;
    const atPoint =
      fastStart &&
      ring.randomAccess !== undefined &&
      ring.head - ring.randomAccess.position <= consumerLimit(this.#parent.budget, false);
    // Whether the ring still has it is told from what was sent, not by the ring.
    const point = atPoint && this.#heldSince <= ring.randomAccess!.position ? this.#point : undefined;
    let opening = new Uint8Array(0);
    let first = this.lengths.length;
    if (point) {
      const partial = writeUnit(compared, point.unit, this.lengths[point.unit]!).subarray(point.within);
      opening = Buffer.concat([PREAMBLE, partial]);
      first = point.unit + 1;
    }
    const client = new Client(room, opening, this.lengths);
    this.#firsts.set(client, first);
    this.clients.push(client);
    client.cursor = this.stream.attach(client, fastStart);
  }

  /** Oldest position that was never overwritten or left behind by a change of size. */
  #heldSince = 0;

  append(length: number, randomAccessWithin?: number): void {
    const { ring } = this.stream;
    const number = this.lengths.length;
    if (randomAccessWithin !== undefined) {
      const before = ring.randomAccess;
      this.stream.markRandomAccess(randomAccessWithin, PREAMBLE);
      if (ring.randomAccess !== before) this.#point = { unit: number, within: randomAccessWithin };
    }
    this.lengths.push(length);
    writeUnit(received.bytes, number, length);
    const before = ring.capacity;
    this.#heldSince = Math.max(this.#heldSince, ring.head - before);
    this.stream.append(received, 0, length);
    this.#heldSince = Math.max(this.#heldSince, ring.head - ring.capacity);
  }

  tick(ms: number): void {
    this.now += ms;
    this.#heldSince = Math.max(this.#heldSince, this.stream.ring.head - this.stream.ring.capacity);
    this.stream.tick(this.now);
    this.#heldSince = Math.max(this.#heldSince, this.stream.ring.head - this.stream.ring.capacity);
  }

  drain(client: Client, bytes: number): void {
    client.room += bytes;
    if (client.cursor.blocked && bytes > 0) this.stream.drained(client.cursor);
  }

  leave(client: Client): void {
    client.isGone = true;
    this.stream.detach(client.cursor);
  }

  /** What holds at every moment. */
  check(): void {
    for (const { cursor, isGone } of this.clients)
      if (!isGone) expect(this.stream.ring.holds(cursor.position)).toBe(true);
  }

  /** Each unit since its start is delivered to a client, or counted as dropped, exactly once. */
  judge(client: Client): void {
    const { numbers, cursor } = client;
    const first = this.#firsts.get(client)!;
    const delivered = new Set(numbers);
    expect([...delivered].sort((a, b) => a - b)).toEqual(numbers);
    expect(numbers[0] ?? first).toBeGreaterThanOrEqual(first);
    const missing = this.lengths.slice(first).filter((_, i) => !delivered.has(first + i));
    expect(cursor.droppedPackets).toBe(missing.length);
    expect(cursor.droppedBytes).toBe(missing.reduce((sum, length) => sum + length, 0));
    expect(client.isBetweenUnits).toBe(true);
    expect(client.ends).toBe(1);
  }
}

const unitLength = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: HEAD_BYTES, max: 1500 }) },
  { weight: 2, arbitrary: fc.integer({ min: HEAD_BYTES, max: MAX_UNIT }) },
  { weight: 1, arbitrary: fc.constantFrom(HEAD_BYTES, 188, 1316, MAX_UNIT) },
);
const room = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(600), fc.nat(500_000));
const which = fc.nat(1000);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      length: unitLength,
      bytes: fc.nat(800_000),
      randomAccess: fc.constantFrom("first", "all", "none", "none"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ ms: fc.oneof(fc.nat(60), fc.constant(16_000)) }) },
  { weight: 3, arbitrary: fc.record({ drain: which, by: fc.oneof(fc.nat(600), fc.nat(200_000)) }) },
  { weight: 2, arbitrary: fc.record({ room, fastStart: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ leaves: which }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const steps = fc.array(step, { maxLength: 60, size: "max" });
const slots = fc.constantFrom(1, 200, 700, 1500, 16_384);

function act(world: World, what: Step): void {
  const { clients } = world;
  if ("length" in what) {
    const units = Math.min(1000, Math.ceil(what.bytes / what.length));
    for (let i = 0; i < units; i++) {
      const marked = what.randomAccess === "all" || (what.randomAccess === "first" && i === 0);
      world.append(what.length, marked ? what.length >> 1 : undefined);
    }
  } else if ("ms" in what) world.tick(what.ms);
  else if ("drain" in what) {
    const client = clients[what.drain % clients.length]!;
    if (!client.isGone) world.drain(client, what.by);
  } else if ("room" in what) {
    if (clients.length < 6) world.join(what.room, what.fastStart);
  } else {
    // The first client stays, or the stream would close.
    const client = clients[what.leaves % clients.length]!;
    if (client !== clients[0]) world.leave(client);
  }
}

/** Ends the upstream, lets all clients drain and leave, and judges what they got. */
function finish(world: World): void {
  world.stream.ended(undefined);
  expect(world.upstream.closes).toBe(1);
  const present = world.clients.filter((client) => !client.isGone);
  for (const client of present) {
    while (client.cursor.blocked && client.ends === 0) world.drain(client, 40_000);
    world.judge(client);
  }
  for (const client of present) world.leave(client);
  expect(world.upstream.closes).toBe(1);
}

describe("clients of random speed", () => {
  test("get whole units, and what they miss is counted exactly", () => {
    fc.assert(
      fc.property(slots, room, steps, (slotCount, firstRoom, sequence) => {
        const parent = new FakeStreamParent(slotCount);
        const { budget } = parent;
        const world = new World(parent, firstRoom);
        for (const what of sequence) {
          act(world, what);
          world.check();
          expect(budget.usedBytes).toBe(world.stream.ring.capacity);
          expect(budget.usedBytes).toBeLessThanOrEqual(Math.max(budget.totalBytes, LEAST_RING_BYTES));
        }
        finish(world);
        expect([budget.usedBytes, budget.streams]).toEqual([0, 0]);
      }),
      { numRuns: 80 },
    );
  });

  test("share one budget with the clients of other streams", () => {
    const shared = fc.array(fc.tuple(which, step), { maxLength: 80, size: "max" });
    fc.assert(
      fc.property(slots, fc.array(room, { minLength: 2, maxLength: 4 }), shared, (slotCount, rooms, sequence) => {
        const parent = new FakeStreamParent(slotCount);
        const { budget } = parent;
        const worlds = rooms.map((firstRoom) => new World(parent, firstRoom));
        const forced = worlds.filter(({ stream }) => stream.ring.capacity === LEAST_RING_BYTES).length;
        for (const [index, what] of sequence) {
          act(worlds[index % worlds.length]!, what);
          expect(budget.usedBytes).toBe(worlds.reduce((sum, { stream }) => sum + stream.ring.capacity, 0));
          expect(budget.usedBytes).toBeLessThanOrEqual(budget.totalBytes + forced * LEAST_RING_BYTES);
        }
        for (const world of worlds) finish(world);
        expect([budget.usedBytes, budget.streams]).toEqual([0, 0]);
      }),
      { numRuns: 80 },
    );
  });

  test("who is fast gets every byte, however slow the others are", () => {
    fc.assert(
      fc.property(slots, steps, (slotCount, sequence) => {
        const world = new World(new FakeStreamParent(slotCount), Number.POSITIVE_INFINITY);
        for (const what of sequence) act(world, what);
        finish(world);
        expect(world.clients[0]!.numbers).toEqual(world.lengths.map((_, i) => i));
        expect(world.clients[0]!.cursor.sentBytes).toBe(world.stream.ring.head);
      }),
      { numRuns: 80 },
    );
  });
});

describe("a client that takes nothing", () => {
  const UNIT = 1316;

  function stall(slotCount: number, kilobytes: number) {
    const parent = new FakeStreamParent(slotCount);
    const world = new World(parent, 0);
    let largest = 0;
    for (let sent = 0; sent < kilobytes * 1000; sent += UNIT) {
      world.append(UNIT);
      if (world.lengths.length % 20 === 0) world.tick(10);
      largest = Math.max(largest, world.clients[0]!.cursor.lag);
    }
    return { world, budget: parent.budget, largest };
  }

  test.each([
    [16_384, 4608 * 1024],
    [1000, (1000 - 64) * SLOT_BYTES],
    [1, 32 * 1024],
  ])("lags, with -b %d, no further than %d bytes and what comes in one tick", (slotCount, limit) => {
    const { world, largest } = stall(slotCount, 15_000);
    expect(largest).toBeLessThanOrEqual(limit + 20 * UNIT);
    expect(largest).toBeGreaterThan(limit - 20 * UNIT);
    finish(world);
  });

  test("gives the memory back after the client has gone", () => {
    const { world, budget } = stall(16_384, 6000);
    expect(budget.usedBytes).toBeGreaterThan(4 * 1024 * 1024);
    world.join(Number.POSITIVE_INFINITY, false);
    world.leave(world.clients[0]!);
    for (let i = 0; i < 4; i++) world.tick(15_000);
    expect(budget.usedBytes).toBe(1024 * 1024);
    finish(world);
  });
});
