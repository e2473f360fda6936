import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Budget } from "../../src/relay/budget.ts";
import type { ClientSink, Cursor } from "../../src/relay/cursor.ts";
import { Stream, type Upstream } from "../../src/relay/stream.ts";
import { USUAL_TICK_MS } from "../../src/relay/tick.ts";
import { allocate } from "../../src/system/memory.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const UNIT = 1316;
const PREAMBLE = Uint8Array.of(71, 64, 0);

const source = allocate(70_000);
source.bytes.fill(7);

class FakeUpstream implements Upstream {
  closes = 0;
  tickMs = USUAL_TICK_MS;
  readonly info = { protocol: "multicast" } as const;
  onTick: ((now: number) => void) | undefined;

  tick(now: number): void {
    this.onTick?.(now);
  }

  close(): void {
    this.closes++;
  }
}

class FakeClient implements ClientSink {
  room = Number.POSITIVE_INFINITY;
  readonly chunks: number[] = [];
  readonly ends: (Error | undefined)[] = [];
  onWrite: (() => void) | undefined;
  onEnd: (() => void) | undefined;
  readonly #taken: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return Buffer.concat(this.#taken);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.chunks.push(taken);
    this.#taken.push(bytes.slice(offset, offset + taken));
    this.onWrite?.();
    return taken;
  }

  end(cause: Error | undefined): void {
    this.ends.push(cause);
    this.onEnd?.();
  }
}

function setUp(slots = 16_384) {
  const budget = new Budget(slots);
  const stream = new Stream(budget);
  const upstream = new FakeUpstream();
  stream.start(() => upstream);
  stream.tick(1000);
  const join = (client: FakeClient, fastStart = false): Cursor => stream.attach(() => client, fastStart);
  const append = (bytes: number, unit = UNIT) => {
    for (let sent = 0; sent < bytes; sent += unit) stream.append(source, 0, unit);
  };
  return { budget, stream, upstream, join, append };
}

describe("writes", () => {
  test("the first bytes at once", () => {
    const { stream, upstream, join, append } = setUp();
    const client = new FakeClient();
    join(client);
    expect(client.chunks).toEqual([]);
    upstream.onTick = () => append(UNIT);
    stream.tick(1001);
    expect(client.chunks).toEqual([UNIT]);
  });

  test("later when the oldest byte may be 47 ms old, a tick's jitter short of 50", () => {
    const { stream, join, append } = setUp();
    const client = new FakeClient();
    join(client);
    append(UNIT);
    stream.tick(2000);
    append(UNIT);
    for (let ms = 1; ms < 47; ms++) stream.tick(2000 + ms);
    expect(client.chunks).toEqual([UNIT]);
    append(UNIT);
    stream.tick(2047);
    expect(client.chunks).toEqual([UNIT, 2 * UNIT]);
    stream.tick(2100);
    expect(client.chunks).toHaveLength(2);
  });

  test("or when 64 KiB wait", () => {
    const { stream, join, append } = setUp();
    const client = new FakeClient();
    join(client);
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
    const { stream, join, append } = setUp();
    const client = new FakeClient();
    const cursor = join(client);
    client.room = 100;
    append(UNIT);
    stream.tick(2000);
    append(UNIT);
    stream.tick(3000);
    expect(client.chunks).toEqual([100]);
    client.room = 1e6;
    stream.drained(cursor);
    expect(client.chunks).toEqual([100, 2 * UNIT - 100]);
  });
});

describe("a newcomer", () => {
  function withPoint() {
    const all = setUp();
    all.join(new FakeClient());
    all.append(10 * UNIT);
    all.stream.markRandomAccess(188, PREAMBLE);
    all.append(3 * UNIT);
    return all;
  }

  test("gets the preamble and everything from the last random access point on, at once", () => {
    const { join } = withPoint();
    const client = new FakeClient();
    join(client, true);
    expect([...client.bytes.subarray(0, 4)]).toEqual([...PREAMBLE, 7]);
    expect(client.bytes).toHaveLength(PREAMBLE.length + 3 * UNIT - 188);
  });

  test("begins at the next unit without fast start, or where the point is too far away", () => {
    const { stream, join, append } = withPoint();
    const client = new FakeClient();
    expect(join(client).position).toBe(stream.ring.head);
    expect(client.chunks).toEqual([]);
    append(5 * MIB);
    const late = new FakeClient();
    join(late, true);
    expect(late.chunks).toEqual([]);
    append(UNIT);
    stream.tick(5000);
    expect(late.chunks).toEqual([UNIT]);
  });

  test("does not begin where the ring, which has grown since, holds nothing any more", () => {
    const { stream, join, append } = withPoint();
    append(MIB + 5 * UNIT);
    const slow = new FakeClient();
    slow.room = 0;
    join(slow);
    append(2 * MIB);
    stream.tick(2000);
    expect(stream.ring.capacity).toBeGreaterThan(2 * MIB);
    const client = new FakeClient();
    join(client, true);
    expect(client.chunks).toEqual([]);
  });

  test("does not begin further back than a client may lag", () => {
    for (const distance of [95 * KIB, 97 * KIB]) {
      const { stream, join, append } = setUp(1);
      join(new FakeClient());
      stream.markRandomAccess(0, PREAMBLE);
      append(distance, KIB);
      const client = new FakeClient();
      join(client, true);
      expect(client.bytes.length).toBe(distance === 95 * KIB ? PREAMBLE.length + distance : 0);
    }
  });

  test("is refused by a stream that has ended", () => {
    const { stream, join } = setUp();
    join(new FakeClient());
    stream.ended(undefined);
    expect(() => join(new FakeClient())).toThrow("takes no clients");
  });
});

describe("the end of the upstream", () => {
  const cause = new Error("gone");

  test("reaches each client once, after what it is owed", () => {
    const { stream, upstream, budget, join, append } = setUp();
    const [fast, slow, idle] = [new FakeClient(), new FakeClient(), new FakeClient()];
    slow.room = 500;
    const cursors = [fast, slow].map((client) => join(client));
    append(2 * UNIT);
    cursors.push(join(idle));
    let closed = 0;
    stream.onClosed = () => closed++;
    stream.ended(cause);
    stream.ended(undefined);
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
    expect([upstream.closes, closed, budget.usedBytes, budget.streams]).toEqual([1, 1, 0, 0]);
  });

  test("may be met by clients that leave within end(), and take others with them", () => {
    const { stream, upstream, budget, join, append } = setUp();
    const clients = [new FakeClient(), new FakeClient(), new FakeClient()];
    const cursors = clients.map((client) => join(client));
    clients[0]!.onEnd = () => {
      stream.detach(cursors[0]!);
      stream.detach(cursors[1]!);
    };
    clients[2]!.onEnd = () => stream.detach(cursors[2]!);
    append(UNIT);
    stream.ended(undefined);
    expect(clients.map(({ ends }) => ends.length)).toEqual([1, 0, 1]);
    expect(clients.map(({ bytes }) => bytes.length)).toEqual([UNIT, 0, UNIT]);
    expect([upstream.closes, budget.usedBytes, budget.streams]).toEqual([1, 0, 0]);
  });
});

describe("the last client to leave", () => {
  test("closes the upstream once and gives all memory back", () => {
    const { stream, upstream, budget, join } = setUp();
    const cursors = [join(new FakeClient()), join(new FakeClient())];
    let closed = 0;
    stream.onClosed = () => closed++;
    stream.detach(cursors[0]!);
    stream.detach(cursors[0]!);
    expect([upstream.closes, budget.usedBytes]).toEqual([0, MIB]);
    stream.detach(cursors[1]!);
    stream.detach(cursors[1]!);
    expect([upstream.closes, closed, budget.usedBytes, budget.streams]).toEqual([1, 1, 0, 0]);
    stream.ended(new Error("too late"));
    expect([upstream.closes, closed]).toEqual([1, 1]);
  });

  test("may leave within write(), while the upstream goes on with what it has read", () => {
    const { stream, upstream, budget, join, append } = setUp();
    const client = new FakeClient();
    const cursor = join(client);
    client.onWrite = () => stream.detach(cursor);
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
    const { stream, budget, join, append } = setUp();
    const slow = new FakeClient();
    slow.room = 0;
    const stalled = join(slow);
    append(4 * MIB);
    const client = new FakeClient();
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
      const { stream, upstream, budget, join, append } = setUp();
      const stays = new FakeClient();
      const last = join(stays);
      const clients = whoLeaves.map(() => new FakeClient());
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

test("an upstream that cannot be opened leaves nothing behind", () => {
  const budget = new Budget(16_384);
  const stream = new Stream(budget);
  const failure = new Error("no such interface");
  expect(() =>
    stream.start(() => {
      throw failure;
    }),
  ).toThrow(failure);
  expect([budget.usedBytes, budget.streams]).toEqual([0, 0]);
});

describe("the ring", () => {
  test("is the least one when the budget has no more", () => {
    const budget = new Budget(1000);
    const streams = Array.from({ length: 4 }, () => new Stream(budget));
    expect(streams.map(({ ring }) => ring.capacity)).toEqual([MIB, 256 * KIB, 256 * KIB, 256 * KIB]);
    for (const stream of streams) stream.close();
    expect([budget.usedBytes, budget.streams]).toEqual([0, 0]);
  });

  test("grows to hold half as much again as lies between random access points, and shrinks when they come closer", () => {
    const { stream, join, append } = setUp();
    join(new FakeClient());
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
      const { stream, join, append } = setUp(slots);
      join(new FakeClient());
      for (let i = 0; i < 3; i++) {
        stream.markRandomAccess(0, PREAMBLE);
        append(distance);
      }
      expect(stream.ring.capacity).toBe(MIB);
    }
  });

  test("does not shrink while a slow client still needs it", () => {
    const { stream, join, append } = setUp();
    const client = new FakeClient();
    client.room = 0;
    const cursor = join(client);
    append(3 * MIB);
    for (let i = 1; i < 5; i++) stream.tick(i * 20_000);
    expect([cursor.droppedBytes, stream.ring.holds(cursor.position)]).toEqual([0, true]);
  });
});

test("a stalled client skips whole units though a decoder can begin at each of them", () => {
  const { stream, join } = setUp(1);
  const client = new FakeClient();
  client.room = 1;
  const cursor = join(client);
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
