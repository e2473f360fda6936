import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { consumerLimit } from "../../src/relay/limit.ts";
import { Stream } from "../../src/relay/stream.ts";
import { allocate } from "../../src/system/memory.ts";
import { FakeConsumer, FakeStream, FakeStreamParent, FakeUpstream, fakePlan, NOTHING_LEFT } from "../fakes/upstream.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const UNIT = 1316;
const PREAMBLE = Uint8Array.of(71, 64, 0);

const source = allocate(70_000);
source.bytes.fill(7);

/** An open stream whose first consumer, `client`, takes everything. */
function setUp(slots = 16_384) {
  const client = new FakeConsumer();
  const fake = new FakeStream({ consumer: client, parent: new FakeStreamParent(slots) });
  const { stream, upstream, parent, first } = fake;
  const append = (bytes: number, unit = UNIT) => {
    for (let sent = 0; sent < bytes; sent += unit) stream.append(source, 0, unit);
  };
  const join = (consumer: FakeConsumer, fastStart = false) => fake.join(consumer, fastStart);
  return { fake, client, first, stream, upstream, parent, budget: parent.budget, join, append };
}

describe("a burst", () => {
  test("stays in the ring from its picture on, if the upstream asks for that", () => {
    for (const [retained, starts] of [
      [0, "next-unit"],
      [3 * MIB, "random-access"],
    ] as const) {
      const { stream, append, join } = setUp();
      stream.markRandomAccess(0, PREAMBLE);
      if (retained > 0) stream.retain(retained);
      append(2 * MIB);
      expect(join(new FakeConsumer(), true).start).toBe(starts);
      stream.close();
    }
  });

  test("takes no more memory than there is", () => {
    const { stream, budget } = setUp(2048);
    stream.retain(100 * MIB);
    expect(budget.usedBytes).toBeLessThanOrEqual(budget.totalBytes);
    stream.close();
  });
});

test("consumers are told how they begin, where the upstream makes a difference", () => {
  const { stream, upstream, append, join, client } = setUp();
  Object.assign(upstream, { infoFor: (start: string) => ({ metadata: [["start", start]] }) });
  stream.markRandomAccess(0, PREAMBLE);
  append(UNIT);
  stream.tick(1001);
  const [quick, slow] = [new FakeConsumer(), new FakeConsumer()];
  join(quick, true);
  join(slow, false);
  append(UNIT);
  stream.tick(2000);
  const told = [client, quick, slow].map(({ infos }) => infos[0]?.metadata[0]?.[1]);
  expect(told).toEqual(["first-media", "random-access", "next-unit"]);
});

describe("writes", () => {
  test("the first bytes at once", () => {
    const { client, stream, upstream, append } = setUp();
    expect([client.chunks, client.infos]).toEqual([[], []]);
    upstream.onTick = () => append(UNIT);
    stream.tick(1001);
    expect([client.chunks, client.infos]).toEqual([[UNIT], [upstream.info]]);
  });

  test("what an upstream brings while it is opened, as soon as it is", () => {
    const parent = new FakeStreamParent();
    const client = new FakeConsumer();
    const plan = fakePlan(new FakeUpstream(), {
      open: (to) => {
        to.entered(4);
        to.append(source, 0, UNIT);
      },
    });
    const stream = new Stream(plan, parent);
    const cursor = stream.attach(client, false);
    stream.start(1000);
    expect([client.chunks, client.infos.length, client.states]).toEqual([[UNIT], 1, [4]]);
    stream.detach(cursor);
  });

  test("later when the oldest byte may be 45 ms old, a tick's jitter short of 48", () => {
    const { client, stream, append } = setUp();
    append(UNIT);
    stream.tick(2000);
    append(UNIT);
    for (let ms = 1; ms < 45; ms++) stream.tick(2000 + ms);
    expect(client.chunks).toEqual([UNIT]);
    append(UNIT);
    stream.tick(2045);
    expect(client.chunks).toEqual([UNIT, 2 * UNIT]);
    stream.tick(2100);
    expect(client.chunks).toHaveLength(2);
  });

  test("of many consumers each less often", () => {
    const { client, stream, join, append } = setUp();
    for (let i = 1; i < 32; i++) join(new FakeConsumer());
    append(UNIT);
    stream.tick(2000);
    append(UNIT);
    stream.tick(2131);
    expect(client.chunks).toHaveLength(1);
    stream.tick(2132);
    expect(client.chunks).toHaveLength(2);
  });

  test("or when 64 KiB wait", () => {
    const { client, stream, append } = setUp();
    append(UNIT);
    stream.tick(2000);
    append(64 * KIB - 1, 64 * KIB - 1);
    stream.tick(2001);
    expect(client.chunks).toHaveLength(1);
    append(1, 1);
    stream.tick(2002);
    expect(client.chunks).toEqual([UNIT, 64 * KIB]);
  });

  test("nothing to a client that is blocked, and all that waits when it drains", () => {
    const { client, first, stream, append } = setUp();
    client.room = 100;
    append(UNIT);
    stream.tick(2000);
    append(UNIT);
    stream.tick(3000);
    expect(client.chunks).toEqual([100]);
    client.room = 1e6;
    stream.drained(first);
    expect(client.chunks).toEqual([100, 2 * UNIT - 100]);
  });
});

describe("a newcomer", () => {
  function withPoint() {
    const all = setUp();
    all.append(10 * UNIT);
    all.stream.markRandomAccess(188, PREAMBLE);
    all.append(3 * UNIT);
    return all;
  }

  test("gets the preamble and everything from the last random access point on, at once", () => {
    const { join } = withPoint();
    const client = new FakeConsumer();
    join(client, true);
    expect([...client.bytes.subarray(0, 4)]).toEqual([...PREAMBLE, 7]);
    expect(client.bytes).toHaveLength(PREAMBLE.length + 3 * UNIT - 188);
  });

  test("begins at the next unit without fast start, or where the point is too far away", () => {
    const { stream, join, append } = withPoint();
    const client = new FakeConsumer();
    expect(join(client).position).toBe(stream.ring.head);
    expect(client.chunks).toEqual([]);
    append(5 * MIB);
    const late = new FakeConsumer();
    join(late, true);
    expect(late.chunks).toEqual([]);
    append(UNIT);
    stream.tick(5000);
    expect(late.chunks).toEqual([UNIT]);
  });

  test("does not begin where the ring, which has grown since, holds nothing any more", () => {
    const { stream, join, append } = withPoint();
    append(MIB + 5 * UNIT);
    const slow = new FakeConsumer();
    slow.room = 0;
    join(slow);
    append(2 * MIB);
    stream.tick(2000);
    expect(stream.ring.capacity).toBeGreaterThan(2 * MIB);
    const client = new FakeConsumer();
    join(client, true);
    expect(client.chunks).toEqual([]);
  });

  test("does not begin further back than a client may lag", () => {
    const limit = consumerLimit(new FakeStreamParent(1).budget, false);
    for (const distance of [limit - KIB, limit + KIB]) {
      const { stream, join, append } = setUp(1);
      stream.markRandomAccess(0, PREAMBLE);
      append(distance, KIB);
      const client = new FakeConsumer();
      join(client, true);
      expect(client.bytes.length).toBe(distance < limit ? PREAMBLE.length + distance : 0);
    }
  });

  test("is told the state of the upstream and what it is, before it is written to", () => {
    const { client, stream, upstream, join } = setUp();
    stream.entered(3);
    stream.entered(6);
    stream.opened();
    const late = new FakeConsumer();
    join(late);
    stream.entered(7);
    expect([client.states, late.states]).toEqual([
      [3, 6, 7],
      [6, 7],
    ]);
    expect([client.infos, late.infos]).toEqual([[upstream.info], [upstream.info]]);
    expect([client.chunks, late.chunks]).toEqual([[], []]);
  });

  test("of a stream that has ended is told so", () => {
    const { stream, fake, join } = setUp();
    const cause = new Error("gone");
    stream.ended(cause);
    const late = new FakeConsumer();
    join(late);
    expect([late.ends, late.infos]).toEqual([[cause], []]);
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });
});

describe("the end of the upstream", () => {
  const cause = new Error("gone");

  test("reaches each client once, after what it is owed", () => {
    const { client: fast, first, stream, upstream, parent, budget, join, append } = setUp();
    const [slow, idle] = [new FakeConsumer(), new FakeConsumer()];
    slow.room = 500;
    const cursors = [first, join(slow)];
    append(2 * UNIT);
    cursors.push(join(idle));
    stream.ended(cause);
    stream.ended(undefined);
    // There can be no more, whatever an upstream still has in its hands.
    append(5 * UNIT);
    expect([fast.ends, slow.ends, idle.ends]).toEqual([[cause], [], [cause]]);
    expect([fast.bytes.length, slow.bytes.length]).toEqual([2 * UNIT, 500]);
    slow.room = 1000;
    stream.drained(cursors[1]!);
    expect(slow.ends).toEqual([]);
    slow.room = 1e6;
    stream.drained(cursors[1]!);
    // A drain event may still come for a socket that is being closed.
    for (const cursor of cursors) stream.drained(cursor);
    expect([fast.ends, slow.ends, idle.ends]).toEqual([[cause], [cause], [cause]]);
    expect(slow.bytes).toHaveLength(2 * UNIT);
    for (const cursor of [...cursors, ...cursors]) stream.detach(cursor);
    expect([upstream.closes, parent.closes, budget.usedBytes, budget.streams]).toEqual([1, [stream], 0, 0]);
  });

  test("may be met by clients that leave within end(), and take others with them", () => {
    const { client, first, stream, upstream, budget, join, append } = setUp();
    const clients = [client, new FakeConsumer(), new FakeConsumer()];
    const cursors = [first, join(clients[1]!), join(clients[2]!)];
    // The newest is told first.
    clients[2]!.onEnd = () => {
      stream.detach(cursors[2]!);
      stream.detach(cursors[1]!);
    };
    clients[0]!.onEnd = () => stream.detach(cursors[0]!);
    append(UNIT);
    stream.ended(undefined);
    expect(clients.map(({ ends }) => ends.length)).toEqual([1, 0, 1]);
    expect(clients.map(({ bytes }) => bytes.length)).toEqual([UNIT, 0, UNIT]);
    expect([upstream.closes, budget.usedBytes, budget.streams]).toEqual([1, 0, 0]);
  });
});

describe("the last client to leave", () => {
  test("closes the upstream once and gives all memory back", () => {
    const { first, stream, upstream, parent, budget, join } = setUp();
    const cursors = [first, join(new FakeConsumer())];
    stream.detach(cursors[0]!);
    stream.detach(cursors[0]!);
    expect([upstream.closes, budget.usedBytes]).toEqual([0, MIB]);
    stream.detach(cursors[1]!);
    stream.detach(cursors[1]!);
    expect([upstream.closes, parent.closes, budget.usedBytes, budget.streams]).toEqual([1, [stream], 0, 0]);
    stream.ended(new Error("too late"));
    expect([upstream.closes, parent.closes]).toEqual([1, [stream]]);
  });

  test("may leave within write(), while the upstream goes on with what it has read", () => {
    const { client, first, stream, upstream, budget, append } = setUp();
    client.onWrite = () => stream.detach(first);
    upstream.onTick = () => {
      // More than the ring holds, so that the client is written to from within `append`.
      append(2 * MIB);
      stream.markRandomAccess(0, PREAMBLE);
      append(3 * MIB);
      stream.markRandomAccess(0, PREAMBLE);
    };
    stream.tick(30_000);
    expect([upstream.closes, budget.usedBytes, budget.streams]).toEqual([1, 0, 0]);
  });

  test("may leave within the write of a tick that would make the ring smaller", () => {
    const { client: slow, first: stalled, stream, budget, join, append } = setUp();
    slow.room = 0;
    append(4 * MIB);
    const client = new FakeConsumer();
    const cursor = join(client);
    stream.detach(stalled);
    stream.tick(20_000);
    append(UNIT);
    client.onWrite = () => stream.detach(cursor);
    stream.tick(40_000);
    expect([budget.usedBytes, budget.streams]).toEqual([0, 0]);
  });
});

test("clients may take any others with them within write()", () => {
  const leaving = fc.array(fc.uniqueArray(fc.nat(5)), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(leaving, (whoLeaves) => {
      const { client: stays, first: last, stream, upstream, budget, join, append } = setUp();
      const clients = whoLeaves.map(() => new FakeConsumer());
      const cursors = clients.map((client) => join(client));
      const gone = new Set<number>();
      clients.forEach((client, i) => {
        client.onWrite = () => {
          expect(gone.has(i)).toBe(false);
          for (const other of whoLeaves[i]!) {
            stream.detach(cursors[other]!);
            gone.add(other);
          }
        };
      });
      append(UNIT);
      stream.tick(2000);
      expect(stays.bytes).toHaveLength(UNIT);
      clients.forEach((client, i) => {
        if (!gone.has(i)) expect(client.bytes).toHaveLength(UNIT);
      });
      for (const cursor of [...cursors, last]) stream.detach(cursor);
      expect([upstream.closes, budget.usedBytes, budget.streams]).toEqual([1, 0, 0]);
    }),
  );
});

describe("the ring", () => {
  test("is the least one when the budget has no more", () => {
    for (const [overflow, slots, usual, least] of [
      ["skip", 1000, MIB, 256 * KIB],
      ["pause", 500, 512 * KIB, 64 * KIB],
    ] as const) {
      const parent = new FakeStreamParent(slots);
      const streams = Array.from({ length: 6 }, () => new FakeStream({ overflow, parent }));
      const sizes = streams.map(({ stream }) => stream.ring.capacity);
      expect(sizes[0]).toBe(usual);
      expect(sizes.slice(-3)).toEqual([least, least, least]);
      expect([parent.budget.usedBytes, parent.budget.streams]).toEqual([sizes.reduce((sum, size) => sum + size), 6]);
      for (const { stream } of streams) stream.close();
      expect([parent.budget.usedBytes, parent.budget.streams]).toEqual([0, 0]);
    }
  });

  test("grows to hold half as much again as lies between random access points, and shrinks when they come closer", () => {
    const { stream, append } = setUp();
    const period = (bytes: number) => {
      stream.markRandomAccess(0, PREAMBLE);
      append(bytes);
    };
    for (let i = 0; i < 3; i++) period(2 * MIB);
    expect(stream.ring.capacity).toBeWithin(3 * MIB, 3 * MIB + 128 * KIB);
    expect(stream.ring.holds(stream.ring.randomAccess!.position)).toBe(true);
    for (let second = 0; second < 40; second++) {
      period(200 * KIB);
      stream.tick(2000 + second * 1000);
    }
    expect(stream.ring.capacity).toBe(MIB);
  });

  test("does not grow for points too far apart, nor beyond half the budget", () => {
    for (const [slots, distance] of [
      [16_384, 6 * MIB],
      [3000, 2 * MIB],
    ] as const) {
      const { stream, append } = setUp(slots);
      for (let i = 0; i < 3; i++) {
        stream.markRandomAccess(0, PREAMBLE);
        append(distance);
      }
      expect(stream.ring.capacity).toBe(MIB);
    }
  });

  test("does not shrink while a slow client still needs it", () => {
    const { client, first: cursor, stream, append } = setUp();
    client.room = 0;
    append(3 * MIB);
    for (let i = 1; i < 5; i++) stream.tick(i * 20_000);
    expect([cursor.droppedBytes, stream.ring.holds(cursor.position)]).toEqual([0, true]);
  });
});

test("a stalled client skips whole units though a decoder can begin at each of them", () => {
  const { client, first: cursor, stream } = setUp(1);
  client.room = 1;
  const unit = allocate(188);
  const total = 10_000;
  for (let i = 0; i < total; i++) {
    unit.bytes.fill(i % 251);
    stream.markRandomAccess(0, PREAMBLE);
    stream.append(unit, 0, 188);
    expect(stream.ring.holds(cursor.position)).toBe(true);
  }
  client.room = Number.POSITIVE_INFINITY;
  stream.drained(cursor);
  stream.ended(undefined);
  expect(cursor.sentBytes + cursor.droppedBytes).toBe(total * 188);
  expect(cursor.droppedBytes).toBe(cursor.droppedPackets * 188);
  const { bytes } = client;
  // What was begun is finished from memory of its own: that may be a few units, not half a ring.
  const finished = Array.from({ length: total }, (_, i) => i).find((i) => bytes[i * 188] !== i % 251);
  expect(finished).toBeLessThan(20);
  for (let at = 0; at < bytes.length; at += 188) expect(new Set(bytes.subarray(at, at + 188)).size).toBe(1);
});
