/**
 * Pipes with sources and sinks of any rhythm: nothing is lost, nothing is read too early, nothing is left hanging.
 *
 * The traps of flow-control.md section 10, and where the program is tested not to fall into them:
 *
 * - 1, 17 (whole, at every `-b`): e2e/proxy-bodies, here; relay/gate for the least limit
 * - 2, 4, 5, 7, 9, 10, 11, 13, 14, 18, 22, 26 (when to read, pause and end): here
 * - 3, 6, 19 (hang-ups, FIN, reset and errors while paused): e2e/proxy-bodies, routes/rtsp, system/tcp-source
 * - 8, 12, 16 (the connection's bit and its drain hook): routes/proxied-body
 * - 15, 25 (drops are logged, and are whole units): relay/cursor, relay/slow-clients, e2e/slow-client
 * - 20 (keepalives outstanding while paused): routes/rtsp
 * - 21, 27, 28 (large local answers, no deadline of ours, only what the kernel took counts): http/connection
 * - 23 (the control connection of RTSP over UDP): routes/rtsp-udp
 * - 24 (bytes that came with the head): upstream/http/body
 * - 29 (timers stop): upstream/http/session, routes/rtsp
 * - 30 (leaving while paused): e2e/proxy-bodies, routes/proxied-body, routes/rtsp
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Budget, SLOT_BYTES } from "../../src/relay/budget.ts";
import type { ClientSink } from "../../src/relay/cursor.ts";
import { type ByteSource, Pipe } from "../../src/relay/pipe.ts";
import { USUAL_TICK_MS } from "../../src/relay/tick.ts";
import type { Memory } from "../../src/system/memory.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 5000;
const USUAL_SLOTS = 16_384;
const RING_BYTES = 512 * 1024;
const TURN_BYTES = 1024 * 1024;
/** No pipe wants a longer beat. */
const LONGEST_TICK_MS = 50;
const HIGH_MARK = 0.75;
const LOW_MARK = 0.5;

/** The byte at position n of every source is that at `n % PERIOD`. */
const PERIOD = 65_521;
const pattern = Buffer.from(
  Uint8Array.from({ length: PERIOD + RING_BYTES }, (_, i) => ((i % PERIOD) * 2_654_435) >> 9),
);

function at(position: number, length: number): Buffer {
  return pattern.subarray(position % PERIOD, (position % PERIOD) + length);
}

/** Gives what has arrived, and checks that it is asked only when reading is allowed. */
class FakeSource implements ByteSource {
  pipe!: Pipe;
  available = 0;
  isOver = false;
  position = 0;
  reads = 0;
  mostAtOnce = Number.POSITIVE_INFINITY;
  /** What the pipe was seen to be when it was last looked at. */
  wasPaused = false;
  /** The pipe waits to be told. */
  isAnnouncing = false;

  waitReadable(): void {
    if (this.isAnnouncing) throw new Error("asked twice to tell");
    if (this.available > 0 || this.isOver) throw new Error("has not read what is there");
    this.isAnnouncing = true;
  }

  read(into: Memory, offset: number, length: number): number {
    this.reads++;
    this.#check(into, offset, length);
    const count = Math.min(length, this.available, this.mostAtOnce);
    if (count === 0) return this.isOver ? -1 : 0;
    into.bytes.set(at(this.position, count), offset);
    this.position += count;
    this.available -= count;
    return count;
  }

  #check(into: Memory, offset: number, length: number): void {
    const { limitBytes: limit, cursor } = this.pipe;
    if (this.isAnnouncing) throw new Error("reads what has not been announced");
    if (!Number.isInteger(length) || length < 1) throw new Error(`asked for ${length} bytes`);
    if (offset + length > into.bytes.length) throw new Error("asked to write behind the memory");
    if (cursor.lag >= limit * HIGH_MARK) throw new Error(`read with ${cursor.lag} of ${limit} bytes waiting`);
    if (cursor.lag + length > limit) throw new Error(`read past the limit: ${cursor.lag} + ${length} > ${limit}`);
    if (this.wasPaused && cursor.lag > limit * LOW_MARK)
      throw new Error(`resumed with ${cursor.lag} of ${limit} bytes`);
    this.wasPaused = false;
  }
}

/** Takes what it has room for, and checks every byte. */
class FakeSink implements ClientSink {
  room = 0;
  taken = 0;
  isBlocked = false;
  onWrite: (() => void) | undefined;

  write(bytes: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.room);
    if (Buffer.compare(bytes.subarray(offset, offset + count), at(this.taken, count)) !== 0) {
      throw new Error(`wrong bytes at ${this.taken}`);
    }
    this.room -= count;
    this.taken += count;
    this.isBlocked = count < length;
    this.onWrite?.();
    return count;
  }

  end(): void {
    throw new Error("a pipe tells its parent");
  }
}

/** A pipe between the two, with the bit and the drain hook of a connection. */
class Relay {
  readonly source = new FakeSource();
  readonly sink = new FakeSink();
  readonly pipe: Pipe;
  readonly changes: boolean[] = [];
  anyUpstreamPaused = false;
  ends = 0;
  now = performance.now();

  constructor(budget = new Budget(USUAL_SLOTS)) {
    this.pipe = new Pipe(this.source, this.sink, budget, {
      pauseChanged: () => {
        this.anyUpstreamPaused = this.pipe.gate.isPaused;
        this.changes.push(this.anyUpstreamPaused);
      },
      finished: () => {
        this.ends++;
        this.pipe.close();
      },
    });
    this.source.pipe = this.pipe;
  }

  get isPaused(): boolean {
    return this.pipe.gate.isPaused;
  }

  arrive(bytes: number): void {
    this.source.available += bytes;
    this.#tell();
  }

  /** By default, the beat after the longest time that a pipe may ask for. */
  tick(now = this.now + LONGEST_TICK_MS): void {
    this.now = now;
    this.pipe.tick(now);
    this.#look();
  }

  #tell(): void {
    if (!this.source.isAnnouncing) this.tick();
    else {
      this.source.isAnnouncing = false;
      this.pipe.onReadable();
      this.#look();
    }
  }

  /** The client makes room: a socket that had refused bytes says so. */
  drain(bytes: number): void {
    this.sink.room += bytes;
    if (!this.sink.isBlocked || bytes === 0) return;
    this.sink.isBlocked = false;
    this.pipe.drained();
    if (this.anyUpstreamPaused) this.pipe.resume();
    this.#look();
  }

  /** Lets everything pass. Fails when something hangs. */
  finish(): void {
    this.source.isOver = true;
    this.source.mostAtOnce = Number.POSITIVE_INFINITY;
    const most = this.source.position + this.source.available;
    for (let i = 0; this.ends === 0; i++) {
      if (i > 1000) throw new Error(`hangs at ${this.sink.taken} of ${most}`);
      if (!this.isPaused) this.#tell();
      this.drain(300_000);
    }
    expect(this.sink.taken).toBe(most);
  }

  /** flow-control.md section 11, invariants 2 and 4. */
  #look(): void {
    const { pipe, sink } = this;
    this.source.wasPaused = this.isPaused;
    expect(this.anyUpstreamPaused).toBe(this.isPaused);
    if (this.ends === 0) expect(sink.taken + pipe.cursor.lag).toBe(this.source.position);
    if (this.isPaused && !(sink.isBlocked && pipe.cursor.blocked)) throw new Error("paused without a write pending");
  }
}

type Step = (relay: Relay, budget: Budget) => void;

const bytes = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 400_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  bytes.map(
    (count): Step =>
      (relay) =>
        relay.arrive(count),
  ),
  bytes.map(
    (count): Step =>
      (relay) =>
        relay.drain(count),
  ),
  fc.nat(100_000).map((most): Step => {
    return ({ source }) => {
      source.mostAtOnce = most + 1;
    };
  }),
  fc.constant<Step>((relay) => relay.tick()),
  fc.constant<Step>((relay) => relay.tick(performance.now() + 10_000)),
  // Other clients come and go, and take from the pool.
  fc.nat(255).map((others): Step => {
    return (_, budget) => {
      budget.pipes = others + 1;
    };
  }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((part): Step => {
    return (_, budget) => {
      budget.usedBytes = Math.floor(budget.totalBytes * part);
    };
  }),
);

describe("any rhythm of reads and writes", () => {
  test("delivers every byte in order and never hangs", () => {
    const slots = fc.oneof(fc.integer({ min: 1, max: 130 }), fc.constantFrom(350, 700, USUAL_SLOTS));
    const property = fc.property(slots, fc.array(step, { maxLength: 60 }), (count, steps) => {
      const budget = new Budget(count);
      const relay = new Relay(budget);
      for (const take of steps) take(relay, budget);
      budget.usedBytes = budget.pipes = 0;
      relay.finish();
      expect([relay.ends, relay.anyUpstreamPaused]).toEqual([1, false]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  test("counts each pause once", () => {
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const budget = new Budget(64);
      const relay = new Relay(budget);
      const { gate } = relay.pipe;
      for (const take of steps) {
        const before = { isPaused: gate.isPaused, events: gate.backpressureEvents };
        take(relay, budget);
        const added = gate.backpressureEvents - before.events;
        if (before.isPaused && !relay.isPaused) expect(added).toBe(0);
        else if (!before.isPaused && relay.isPaused) expect(added).toBe(1);
        // In one turn it may resume and reach the high mark again.
        else expect(added).toBeWithin(0, before.isPaused ? 2 : 1);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });
});

/** A relay whose client is stuck and whose upstream is paused; `limit` and marks in bytes. */
function pausedRelay() {
  const relay = new Relay();
  relay.arrive(10 * RING_BYTES);
  const { limitBytes: limit } = relay.pipe;
  expect(relay.isPaused).toBe(true);
  return { relay, limit, toLowMark: relay.pipe.cursor.lag - limit * LOW_MARK };
}

describe("a pause", () => {
  test("begins at the high mark and ends at the low mark, no byte earlier", () => {
    const { relay, toLowMark } = pausedRelay();
    const { source, pipe } = relay;
    const { reads } = source;
    relay.tick();
    relay.drain(toLowMark - 1);
    expect([relay.isPaused, source.reads, pipe.gate.backpressureEvents]).toEqual([true, reads, 1]);
    expect(relay.changes).toEqual([true]);
    source.available = 1000;
    relay.drain(1);
    expect([relay.isPaused, source.available, pipe.gate.backpressureEvents]).toEqual([false, 0, 1]);
    expect(relay.changes).toEqual([true, false]);
    relay.arrive(RING_BYTES);
    expect(relay.isPaused).toBe(true);
    expect(pipe.gate.backpressureEvents).toBe(2);
  });

  test("lasts as long as the client wants it to", () => {
    const { relay, limit } = pausedRelay();
    const { reads } = relay.source;
    for (let i = 0; i < 24; i++) relay.tick(relay.now + 3_600_000);
    expect([relay.isPaused, relay.source.reads, relay.ends]).toEqual([true, reads, 0]);
    expect(relay.pipe.cursor.lag).toBeWithin(limit * HIGH_MARK, limit + 1);
  });

  test("is followed by reads until nothing is there", () => {
    const { relay, toLowMark } = pausedRelay();
    const { source } = relay;
    source.mostAtOnce = 100;
    source.available = 5000;
    const { reads } = source;
    relay.drain(toLowMark);
    expect([relay.isPaused, source.available, source.reads - reads]).toEqual([false, 0, 51]);
  });

  test("loses nothing: it is not counted as a drop", () => {
    const { relay } = pausedRelay();
    const { cursor, gate } = relay.pipe;
    relay.finish();
    expect(gate.backpressureEvents).toBeGreaterThan(0);
    expect([cursor.droppedPackets, cursor.droppedBytes]).toEqual([0, 0]);
  });

  test("that follows another at once is counted too", () => {
    const { relay, toLowMark } = pausedRelay();
    relay.drain(toLowMark);
    expect([relay.isPaused, relay.pipe.gate.backpressureEvents]).toEqual([true, 2]);
    expect(relay.changes).toEqual([true]);
  });

  test("does not ask for a quick heartbeat", () => {
    const { relay } = pausedRelay();
    expect(relay.pipe.tickMs).toBe(LONGEST_TICK_MS);
    const busy = new Relay();
    busy.sink.room = RING_BYTES;
    busy.arrive(RING_BYTES / 2);
    expect(busy.pipe.tickMs).toBeLessThan(USUAL_TICK_MS);
    const quick = busy.pipe.tickMs;
    busy.arrive(1);
    expect(busy.pipe.tickMs).toBe(2 * quick);
    for (let i = 0; i < 4; i++) busy.arrive(1);
    expect(busy.pipe.tickMs).toBe(LONGEST_TICK_MS);
  });

  test("hides the end of the source until everything before it is delivered", () => {
    const { relay, toLowMark } = pausedRelay();
    const { source } = relay;
    source.available = 1000;
    source.isOver = true;
    const owed = relay.pipe.cursor.lag + 1000;
    relay.tick();
    relay.drain(toLowMark);
    expect([relay.isPaused, relay.anyUpstreamPaused, relay.ends]).toEqual([false, false, 0]);
    const { reads } = source;
    relay.drain(owed - toLowMark - 1);
    expect(relay.ends).toBe(0);
    relay.drain(1);
    expect([relay.ends, relay.sink.taken, source.reads]).toEqual([1, owed, reads]);
  });

  test("of a slow client allows whole bytes", () => {
    const budget = new Budget(USUAL_SLOTS);
    const relay = new Relay(budget);
    budget.pipes = 256;
    relay.source.available = 180_000;
    relay.tick(0);
    relay.source.available = 1;
    relay.tick(3001);
    expect(relay.pipe.isSlow).toBe(true);
    expect(relay.pipe.limitBytes).toBe(Math.floor(64 * SLOT_BYTES * 0.8));
    relay.tick(3002);
    expect(relay.isPaused).toBe(true);
    // The source refuses to be asked for a fraction.
    relay.source.available = 100_000;
    relay.drain(150_000);
    expect(relay.source.position).toBeGreaterThan(180_001);
  });
});

describe("a client that has taken everything", () => {
  test("gets what its own drain has brought without another event", () => {
    const relay = new Relay();
    relay.arrive(1000);
    relay.source.available = 1000;
    relay.drain(2000);
    expect([relay.sink.taken, relay.sink.isBlocked]).toEqual([2000, false]);
  });

  test("takes no more than it has room for of what its own drain has brought", () => {
    const relay = new Relay();
    relay.arrive(1000);
    relay.source.available = 1000;
    relay.drain(1500);
    expect([relay.sink.taken, relay.sink.isBlocked]).toEqual([1500, true]);
    relay.drain(500);
    expect(relay.sink.taken).toBe(2000);
  });
});

test("to ask for the limit changes nothing", () => {
  const budget = new Budget(USUAL_SLOTS);
  const [asked, other] = [new Relay(budget), new Relay(budget)];
  budget.pipes = 256;
  // The average of the samples takes its time to reach the mark of a slow client.
  for (const relay of [asked, other]) {
    relay.arrive(1000);
    relay.source.available = 179_000;
  }
  const begin = asked.now + 1000;
  for (let now = begin; now <= begin + 5000; now += 100) {
    for (let i = 0; i < 10; i++) expect(asked.pipe.limitBytes).toBeGreaterThan(0);
    for (const relay of [asked, other]) {
      relay.source.available += 1;
      relay.tick(now);
    }
    expect(asked.pipe.isSlow).toBe(other.pipe.isSlow);
  }
  expect(other.pipe.isSlow).toBe(true);
});

describe("a source that brings little", () => {
  test("is read at once when its first bytes come, and again when it was quiet for long", () => {
    const relay = new Relay();
    const { source, sink } = relay;
    sink.room = RING_BYTES;
    relay.tick();
    expect(source.isAnnouncing).toBe(true);
    relay.arrive(10);
    expect(sink.taken).toBe(10);
    relay.tick();
    expect(source.isAnnouncing).toBe(false);
    relay.tick();
    expect(source.isAnnouncing).toBe(true);
    const { reads } = source;
    for (let i = 0; i < 10; i++) relay.tick();
    expect(source.reads).toBe(reads);
    relay.arrive(10);
    expect(sink.taken).toBe(20);
  });

  test("is not asked before its beat", () => {
    const relay = new Relay();
    relay.sink.room = RING_BYTES;
    for (let i = 0; i < 6; i++) relay.arrive(10);
    const { now } = relay;
    relay.source.available = 10;
    relay.tick(now + LONGEST_TICK_MS / 2);
    expect(relay.sink.taken).toBe(60);
    relay.tick(now + LONGEST_TICK_MS);
    expect(relay.sink.taken).toBe(70);
  });

  test("tells its end", () => {
    const relay = new Relay();
    relay.tick();
    relay.finish();
    expect(relay.ends).toBe(1);
  });
});

describe("the end", () => {
  test("of a source that had nothing", () => {
    const relay = new Relay();
    relay.source.isOver = true;
    relay.tick();
    expect([relay.ends, relay.changes]).toEqual([1, []]);
  });

  test("comes at once when the client has everything, and only once", () => {
    const relay = new Relay();
    relay.sink.room = 5000;
    relay.source.isOver = true;
    relay.arrive(5000);
    relay.tick();
    relay.pipe.drained();
    expect([relay.ends, relay.sink.taken]).toEqual([1, 5000]);
  });

  test("is followed by nothing, and the memory is given back once", () => {
    const budget = new Budget(USUAL_SLOTS);
    const relay = new Relay(budget);
    expect([budget.usedBytes, budget.pipes]).toEqual([RING_BYTES, 1]);
    relay.arrive(10 * RING_BYTES);
    const { reads } = relay.source;
    relay.pipe.close();
    relay.pipe.close();
    relay.sink.room = RING_BYTES;
    relay.pipe.tick(performance.now());
    relay.pipe.drained();
    relay.pipe.resume();
    expect([budget.usedBytes, budget.pipes]).toEqual([0, 0]);
    expect([relay.source.reads, relay.sink.taken, relay.ends, relay.isPaused]).toEqual([reads, 0, 0, false]);
  });

  test("may come from the client while it is written to", () => {
    const relay = new Relay();
    relay.source.mostAtOnce = 1000;
    relay.sink.room = RING_BYTES;
    relay.sink.onWrite = () => relay.pipe.close();
    relay.arrive(5000);
    expect([relay.source.reads, relay.sink.taken, relay.ends]).toEqual([1, 1000, 0]);
  });
});

test("a budget that is used up still gives each pipe the least it needs", () => {
  const budget = new Budget(1);
  const relays = [new Relay(budget), new Relay(budget)];
  expect(budget.usedBytes).toBeGreaterThan(budget.totalBytes);
  for (const relay of relays) {
    relay.arrive(200_000);
    relay.finish();
  }
  expect([budget.usedBytes, budget.pipes]).toEqual([0, 0]);
});

describe("a source that never ends", () => {
  function endless(): Relay {
    const relay = new Relay();
    relay.source.available = relay.sink.room = Number.MAX_SAFE_INTEGER;
    return relay;
  }

  test("is read in turns, between which others have theirs", async () => {
    const relays = [endless(), endless(), endless()];
    for (const relay of relays) {
      relay.tick();
      expect(relay.sink.taken).toBeWithin(TURN_BYTES, TURN_BYTES + RING_BYTES + 1);
    }
    await until(() => relays[0]!.sink.taken > 20 * TURN_BYTES, WAIT_MS, "many turns");
    const taken = relays.map(({ sink }) => sink.taken);
    for (const { pipe } of relays) pipe.close();
    expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(2 * TURN_BYTES);
  });

  test("is not read in a turn that was to come when the pipe was closed", async () => {
    const relay = endless();
    relay.tick();
    const { reads } = relay.source;
    relay.pipe.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(() => setImmediate(resolve));
    await promise;
    expect(relay.source.reads).toBe(reads);
  });
});
