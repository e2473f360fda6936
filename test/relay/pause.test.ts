/**
 * Streams that pause for their one consumer, of any rhythm: nothing is lost, nothing is read too early, nothing is left hanging.
 *
 * The traps of flow-control.md section 10, and where the program is tested not to fall into them:
 *
 * - 1, 17 (whole, at every `-b`): e2e/proxy-bodies, here; relay/limit for the least limit
 * - 2, 4, 5, 7, 9, 10, 11, 13, 14, 18, 22, 26 (when to read, pause and end): here
 * - 3, 6, 19 (hang-ups, FIN, reset and errors while paused): e2e/proxy-bodies, routes/rtsp, system/tcp-source
 * - 8, 16 (the connection's bit and its drain hook): routes/media-http, http/connection
 * - 12 (the bit is that of the one upstream a connection has): here, routes/media-http
 * - 15, 25 (drops are logged, and are whole units): relay/cursor, relay/slow-clients, e2e/slow-client
 * - 20 (keepalives outstanding while paused): routes/rtsp
 * - 21, 27, 28 (large local answers, no deadline of ours, only what the kernel took counts): http/connection
 * - 23 (the control connection of RTSP over UDP): routes/rtsp-udp
 * - 24 (bytes that came with the head): upstream/http/body
 * - 29 (timers stop): upstream/http/session, routes/rtsp
 * - 30 (leaving while paused): e2e/proxy-bodies, routes/media-http, routes/rtsp
 */

import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import fc from "fast-check";
import { type Budget, SLOT_BYTES } from "../../src/relay/budget.ts";
import type { Consumer } from "../../src/relay/consumer.ts";
import type { Cursor } from "../../src/relay/cursor.ts";
import { Hub } from "../../src/relay/hub.ts";
import { Stream } from "../../src/relay/stream.ts";
import type { Memory } from "../../src/system/memory.ts";
import { allocate } from "../../src/system/memory.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { FakeConsumer, FakeStreamParent, FakeUpstream, fakePlan, NOTHING_LEFT } from "../fakes/upstream.ts";

const WAIT_MS = 5000;
const USUAL_SLOTS = 16_384;
const KIB = 1024;
const RING_BYTES = 512 * KIB;
const TURN_BYTES = 1024 * KIB;
const TICK_MS = 50;
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

/** Takes what it has room for, and checks every byte. */
class CheckingConsumer implements Consumer {
  room = 0;
  taken = 0;
  isBlocked = false;
  isPaused = false;
  ends = 0;
  readonly changes: boolean[] = [];
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

  paused(isPaused: boolean): void {
    if (isPaused === this.isPaused) throw new Error("told of a change that is none");
    this.isPaused = isPaused;
    this.changes.push(isPaused);
  }

  end(cause: Error | undefined): void {
    if (cause) throw cause;
    this.ends++;
  }
}

/** A byte stream that is read with `fill`, and its one consumer with the bit and the drain hook of a connection. */
class Relay {
  readonly consumer = new CheckingConsumer();
  readonly upstream = new FakeUpstream();
  readonly parent: FakeStreamParent;
  readonly stream: Stream;
  readonly cursor: Cursor;
  available = 0;
  isOver = false;
  /** Bytes that were read. */
  position = 0;
  reads = 0;
  mostAtOnce = Number.POSITIVE_INFINITY;
  /** What the stream was seen to be when it was last looked at. */
  #wasPaused = false;

  constructor(parent = new FakeStreamParent()) {
    this.parent = parent;
    this.stream = new Stream(fakePlan(this.upstream, { overflow: "pause" }), parent);
    this.upstream.onTick = () => {
      if (this.stream.fill(this.#read) < 0) this.stream.ended(undefined);
    };
    this.cursor = this.stream.attach(this.consumer, false);
    this.stream.start(parent.now);
  }

  readonly #read = (into: Memory, offset: number, length: number): number => {
    this.reads++;
    this.#check(into, offset, length);
    const count = Math.min(length, this.available, this.mostAtOnce);
    if (count === 0) return this.isOver ? -1 : 0;
    into.bytes.set(at(this.position, count), offset);
    this.position += count;
    this.available -= count;
    return count;
  };

  #check(into: Memory, offset: number, length: number): void {
    const { limit, cursor } = this;
    if (!this.stream.isOpen) throw new Error("read after its end");
    if (!Number.isInteger(length) || length < 1) throw new Error(`asked for ${length} bytes`);
    if (offset + length > into.bytes.length) throw new Error("asked to write behind the memory");
    if (cursor.lag >= limit * HIGH_MARK) throw new Error(`read with ${cursor.lag} of ${limit} bytes waiting`);
    if (cursor.lag + length > limit) throw new Error(`read past the limit: ${cursor.lag} + ${length} > ${limit}`);
    if (this.#wasPaused && cursor.lag > limit * LOW_MARK) throw new Error(`resumed with ${cursor.lag} of ${limit}`);
    this.#wasPaused = false;
  }

  get limit(): number {
    return this.stream.limitOf(this.cursor);
  }

  get isPaused(): boolean {
    return this.stream.gate.isPaused;
  }

  get pauses(): number {
    return this.stream.gate.backpressureEvents;
  }

  get ends(): number {
    return this.consumer.ends;
  }

  arrive(bytes: number): void {
    this.available += bytes;
    this.tick();
  }

  tick(now = this.parent.now + TICK_MS): void {
    if (!this.stream.isOpen) return;
    this.parent.now = now;
    this.stream.tick(now);
    this.#look();
  }

  /** The client makes room: a socket that had refused bytes says so. */
  drain(bytes: number): void {
    this.consumer.room += bytes;
    if (!this.consumer.isBlocked || bytes === 0) return;
    this.consumer.isBlocked = false;
    this.stream.drained(this.cursor);
    if (this.consumer.isPaused) this.stream.wake();
    this.#look();
  }

  /** Lets everything pass. Fails when something hangs. */
  finish(): void {
    this.isOver = true;
    this.mostAtOnce = Number.POSITIVE_INFINITY;
    const most = this.position + this.available;
    for (let i = 0; this.ends === 0; i++) {
      if (i > 1000) throw new Error(`hangs at ${this.consumer.taken} of ${most}`);
      if (!this.isPaused) this.tick();
      this.drain(300_000);
    }
    expect([this.consumer.taken, this.upstream.closes]).toEqual([most, 1]);
  }

  close(): void {
    this.stream.detach(this.cursor);
  }

  /** flow-control.md sections 2, 4, 5 and 11. */
  #look(): void {
    const { consumer, cursor } = this;
    this.#wasPaused = this.isPaused;
    expect(this.parent.log.lines).toEqual([]);
    expect(consumer.isPaused).toBe(this.isPaused);
    expect(consumer.taken + cursor.lag).toBe(this.position);
    if (this.isPaused && !(consumer.isBlocked && cursor.blocked)) throw new Error("paused without a write pending");
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
    return (relay) => {
      relay.mostAtOnce = most + 1;
    };
  }),
  fc.constant<Step>((relay) => relay.tick()),
  fc.constant<Step>((relay) => relay.tick(relay.parent.now + 10_000)),
  // Other streams come and go, and take from the pool.
  fc.nat(255).map((others): Step => {
    return (_, budget) => {
      budget.streams = others + 1;
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
      const relay = new Relay(new FakeStreamParent(count));
      const { budget } = relay.parent;
      for (const take of steps) take(relay, budget);
      budget.usedBytes = 0;
      budget.streams = 1;
      relay.finish();
      expect([relay.ends, relay.consumer.isPaused]).toEqual([1, false]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  test("counts each pause once", () => {
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const relay = new Relay(new FakeStreamParent(64));
      for (const take of steps) {
        const before = relay.consumer.changes.length;
        const events = relay.pauses;
        take(relay, relay.parent.budget);
        const told = relay.consumer.changes.slice(before).filter((isPaused) => isPaused);
        expect(relay.pauses - events).toBe(told.length);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });
});

/** A relay whose client is stuck and whose upstream is paused; `limit` and marks in bytes. */
function pausedRelay() {
  const relay = new Relay();
  relay.arrive(10 * RING_BYTES);
  const { limit } = relay;
  expect([relay.isPaused, limit]).toEqual([true, RING_BYTES]);
  return { relay, limit, toLowMark: relay.cursor.lag - limit * LOW_MARK };
}

describe("a pause", () => {
  // A busy machine would end a turn early.
  beforeEach(() => void spyOn(performance, "now").mockReturnValue(0));
  afterEach(() => mock.restore());

  test("begins at the high mark and ends at the low mark, no byte earlier", () => {
    const { relay, toLowMark } = pausedRelay();
    const { reads } = relay;
    relay.tick();
    relay.drain(toLowMark - 1);
    expect([relay.isPaused, relay.reads, relay.pauses]).toEqual([true, reads, 1]);
    expect(relay.consumer.changes).toEqual([true]);
    relay.available = 1000;
    relay.drain(1);
    expect([relay.isPaused, relay.available, relay.pauses]).toEqual([false, 0, 1]);
    expect(relay.consumer.changes).toEqual([true, false]);
    relay.arrive(RING_BYTES);
    expect(relay.isPaused).toBe(true);
    expect(relay.pauses).toBe(2);
  });

  test("lasts as long as the client wants it to", () => {
    const { relay, limit } = pausedRelay();
    const { reads } = relay;
    for (let i = 0; i < 24; i++) relay.tick(relay.parent.now + 3_600_000);
    expect([relay.isPaused, relay.reads, relay.ends]).toEqual([true, reads, 0]);
    expect(relay.cursor.lag).toBeWithin(limit * HIGH_MARK, limit + 1);
  });

  test("is followed by reads until nothing is there", () => {
    const { relay, toLowMark } = pausedRelay();
    relay.mostAtOnce = 100;
    relay.available = 5000;
    const { reads } = relay;
    relay.drain(toLowMark);
    expect([relay.isPaused, relay.available, relay.reads - reads]).toEqual([false, 0, 51]);
  });

  test("loses nothing: it is not counted as a drop", () => {
    const { relay } = pausedRelay();
    relay.finish();
    expect(relay.pauses).toBeGreaterThan(0);
    expect([relay.cursor.droppedPackets, relay.cursor.droppedBytes]).toEqual([0, 0]);
  });

  test("that follows another at once is counted and told too", () => {
    const { relay, toLowMark } = pausedRelay();
    relay.drain(toLowMark);
    expect([relay.isPaused, relay.pauses]).toEqual([true, 2]);
    expect(relay.consumer.changes).toEqual([true, false, true]);
  });

  test("hides the end of the source until everything before it is delivered", () => {
    const { relay, toLowMark } = pausedRelay();
    relay.available = 1000;
    relay.isOver = true;
    const owed = relay.cursor.lag + 1000;
    relay.tick();
    relay.drain(toLowMark);
    expect([relay.isPaused, relay.consumer.isPaused, relay.ends, relay.upstream.closes]).toEqual([false, false, 0, 1]);
    const { reads } = relay;
    relay.drain(owed - toLowMark - 1);
    expect(relay.ends).toBe(0);
    relay.drain(1);
    expect([relay.ends, relay.consumer.taken, relay.reads]).toEqual([1, owed, reads]);
  });

  test("of a slow client allows whole bytes", () => {
    const relay = new Relay();
    relay.parent.budget.streams = 256;
    relay.arrive(180_000);
    for (const now of [2000, 3000, 4000]) relay.tick(now);
    expect([relay.isPaused, relay.limit]).toEqual([false, 64 * 3 * SLOT_BYTES]);
    relay.available = 100_000;
    relay.tick(4200);
    expect([relay.isPaused, relay.limit]).toEqual([true, Math.floor(64 * 0.8 * SLOT_BYTES)]);
    // The source refuses to be asked for a fraction.
    relay.drain(260_000);
    expect(relay.position).toBe(280_000);
  });
});

describe("a client that has taken everything", () => {
  test("gets what its own drain has brought without another event", () => {
    const relay = new Relay();
    relay.arrive(1000);
    relay.available = 1000;
    relay.drain(2000);
    expect([relay.consumer.taken, relay.consumer.isBlocked]).toEqual([2000, false]);
  });

  test("takes no more than it has room for of what its own drain has brought", () => {
    const relay = new Relay();
    relay.arrive(1000);
    relay.available = 1000;
    relay.drain(1500);
    expect([relay.consumer.taken, relay.consumer.isBlocked]).toEqual([1500, true]);
    relay.drain(500);
    expect(relay.consumer.taken).toBe(2000);
  });

  test("gets what comes slowly at the end of each read", () => {
    const relay = new Relay();
    relay.consumer.room = RING_BYTES;
    for (let i = 1; i <= 3; i++) {
      relay.available = 1;
      relay.tick(relay.parent.now + 1);
      expect(relay.consumer.taken).toBe(i);
    }
  });
});

test("to ask for the limit changes nothing", () => {
  const [asked, other] = [new Relay(), new Relay()];
  for (const relay of [asked, other]) {
    relay.parent.budget.streams = 256;
    relay.arrive(180_000);
  }
  const isSlow = ({ cursor, parent }: Relay) => cursor.slowDetector.isSlow(parent.now);
  for (let now = 2000; now <= 7000; now += 100) {
    for (let i = 0; i < 10; i++) expect(asked.limit).toBeGreaterThan(0);
    for (const relay of [asked, other]) relay.tick(now);
    expect(isSlow(asked)).toBe(isSlow(other));
  }
  expect(isSlow(other)).toBe(true);
});

describe("the end", () => {
  test("of a source that had nothing", () => {
    const relay = new Relay();
    relay.isOver = true;
    relay.tick();
    expect([relay.ends, relay.consumer.changes]).toEqual([1, []]);
  });

  test("comes at once when the client has everything, and only once", () => {
    const relay = new Relay();
    relay.consumer.room = 5000;
    relay.isOver = true;
    relay.arrive(5000);
    relay.tick();
    relay.stream.drained(relay.cursor);
    expect([relay.ends, relay.consumer.taken]).toEqual([1, 5000]);
  });

  test("is followed by nothing, and the memory is given back once", () => {
    const relay = new Relay();
    const { budget } = relay.parent;
    expect([budget.usedBytes, budget.streams]).toEqual([RING_BYTES, 1]);
    relay.arrive(10 * RING_BYTES);
    const { reads } = relay;
    relay.close();
    relay.close();
    relay.consumer.room = RING_BYTES;
    relay.stream.drained(relay.cursor);
    relay.stream.wake();
    expect([budget.usedBytes, budget.streams, relay.upstream.closes]).toEqual([0, 0, 1]);
    expect([relay.reads, relay.consumer.taken, relay.ends, relay.isPaused]).toEqual([reads, 0, 0, false]);
    expect(relay.stream.room).toBe(0);
  });

  test("may come from the client while it is written to", () => {
    const relay = new Relay();
    relay.mostAtOnce = 1000;
    relay.consumer.room = RING_BYTES;
    relay.consumer.onWrite = () => relay.close();
    relay.available = 5000;
    relay.stream.tick(2000);
    expect([relay.reads, relay.consumer.taken, relay.ends]).toEqual([1, 1000, 0]);
  });
});

test("a budget that is used up still gives each stream the least it needs", () => {
  const parent = new FakeStreamParent(1);
  const relays = [new Relay(parent), new Relay(parent)];
  expect(parent.budget.usedBytes).toBe(2 * 64 * KIB);
  for (const relay of relays) {
    relay.arrive(200_000);
    relay.finish();
    relay.close();
  }
  expect([parent.budget.usedBytes, parent.budget.streams]).toEqual([0, 0]);
});

describe("a source that never ends", () => {
  function endless(hub: Hub) {
    const upstream = new FakeUpstream();
    const consumer = new FakeConsumer();
    let taken = 0;
    consumer.write = (_, __, length) => {
      taken += length;
      return length;
    };
    let reads = 0;
    const fill = (_: Memory, __: number, length: number) => {
      reads++;
      return length;
    };
    upstream.onTick = () => upstream.parent.fill(fill);
    upstream.tickMs = 1e6;
    const subscription = hub.join(fakePlan(upstream, { overflow: "pause" }), consumer);
    return { upstream, subscription, taken: () => taken, reads: () => reads };
  }
  const newHub = () => new Hub({ bufferSlots: USUAL_SLOTS, fastStart: false, log: recordingLog() });

  test("is read in turns, between which others have theirs", async () => {
    const hub = newHub();
    const sources = [endless(hub), endless(hub), endless(hub)];
    for (const { upstream, taken } of sources) {
      upstream.parent.wake();
      expect(taken()).toBeWithin(1, TURN_BYTES + RING_BYTES + 1);
    }
    await until(() => sources[0]!.taken() > 4 * TURN_BYTES, WAIT_MS, "many turns");
    const taken = sources.map((source) => source.taken());
    for (const { subscription } of sources) subscription.close();
    expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(2 * TURN_BYTES);
  });

  test("is not read in a turn that was to come when its consumer left", async () => {
    const { upstream, subscription, reads } = endless(newHub());
    upstream.parent.wake();
    const before = reads();
    subscription.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(() => setImmediate(resolve));
    await promise;
    expect(reads()).toBe(before);
  });
});

describe("a second consumer", () => {
  test("opens the gate: from then on the slow one skips, and the source is read on", () => {
    const relay = new Relay();
    relay.arrive(10 * RING_BYTES);
    expect(relay.consumer.changes).toEqual([true]);
    const second = new FakeConsumer();
    let taken = 0;
    const { position } = relay;
    second.write = (written, offset, length) => {
      if (Buffer.compare(written.subarray(offset, offset + length), at(position + taken, length)) !== 0) {
        throw new Error(`wrong bytes at ${taken}`);
      }
      taken += length;
      return length;
    };
    const cursor = relay.stream.attach(second, false);
    expect([relay.isPaused, relay.consumer.changes]).toEqual([false, [true, false]]);
    // Checks of one consumer's limit no longer hold.
    relay.upstream.onTick = () =>
      relay.stream.fill((into, offset, length) => {
        const count = Math.min(length, relay.available, RING_BYTES);
        into.bytes.set(at(relay.stream.ring.head, count), offset);
        relay.available -= count;
        return count;
      });
    relay.available = 20 * RING_BYTES;
    for (let i = 1; relay.available > 0; i++) {
      relay.stream.tick(2000 + i);
      expect(relay.stream.ring.holds(relay.cursor.position)).toBe(true);
      expect(i).toBeLessThan(100);
    }
    expect([position + taken, relay.parent.log.lines]).toEqual([relay.stream.ring.head, []]);
    expect(relay.cursor.droppedBytes).toBeGreaterThan(0);
    expect(relay.cursor.droppedBytes % relay.cursor.droppedPackets).toBe(0);
    expect(second.pauses).not.toContain(true);

    // Alone again, it keeps the source waiting as before.
    relay.stream.detach(cursor);
    relay.available = 20 * RING_BYTES;
    for (let i = 1; i < 20; i++) relay.stream.tick(3000 + i);
    expect([relay.isPaused, relay.consumer.changes]).toEqual([true, [true, false, true]]);
    expect(relay.available).toBeGreaterThan(0);
    relay.close();
  });

  test("is told nothing of a pause before its time", () => {
    const { relay } = pausedRelay();
    const second = new FakeConsumer();
    const cursor = relay.stream.attach(second, false);
    expect(second.pauses).toEqual([]);
    relay.stream.detach(cursor);
    relay.close();
  });
});

test("a source that cannot be paused after all is not", () => {
  const { relay } = pausedRelay();
  relay.stream.cannotPause();
  expect([relay.isPaused, relay.consumer.changes, relay.stream.mayLose]).toEqual([false, [true, false], true]);
  expect(relay.stream.room).toBeGreaterThan(0);
  relay.close();
});

describe("units that come although there is no room", () => {
  const UNIT = 1400;
  const unit = allocate(70_000);

  /** Appends numbered units. */
  function append(stream: Stream, from: number, to: number): void {
    for (let n = from; n < to; n++) {
      unit.bytes.fill(n % 251, 0, UNIT);
      stream.append(unit, 0, UNIT);
    }
  }

  test.each([
    ["the usual budget", USUAL_SLOTS],
    ["no budget at all", 1],
  ])("are never lost, with %s; the ring shrinks when they are gone", (_, slots) => {
    const parent = new FakeStreamParent(slots);
    const upstream = new FakeUpstream();
    const consumer = new FakeConsumer();
    consumer.room = 100;
    const stream = new Stream(fakePlan(upstream, { overflow: "pause" }), parent);
    const cursor = stream.attach(consumer, false);
    stream.start(1000);
    const units = 4000;
    for (let n = 0; n < units; n += 10) {
      append(stream, n, n + 10);
      stream.tick(1000 + n);
    }
    expect(stream.room).toBe(0);
    expect(consumer.pauses).toEqual([true]);
    expect(stream.ring.capacity).toBeGreaterThanOrEqual(units * UNIT - 100);
    expect(parent.budget.usedBytes).toBe(stream.ring.capacity);
    consumer.room = Number.POSITIVE_INFINITY;
    stream.drained(cursor);
    expect(stream.room).toBeGreaterThan(0);
    expect(consumer.pauses).toEqual([true, false]);
    const { bytes } = consumer;
    expect([bytes.length, cursor.droppedBytes]).toEqual([units * UNIT, 0]);
    for (let n = 0; n < units; n++) {
      const [first, last] = [bytes[n * UNIT], bytes[(n + 1) * UNIT - 1]];
      if (first !== n % 251 || last !== n % 251) throw new Error(`unit ${n} is damaged`);
    }
    for (let i = 1; i <= 4; i++) stream.tick(10_000 + i * 15_000);
    expect(stream.ring.capacity).toBe(RING_BYTES);
    stream.detach(cursor);
    const { usedBytes, streams } = parent.budget;
    expect({ usedBytes, streams, closes: upstream.closes }).toEqual(NOTHING_LEFT);
  });

  test("cost a consumer nothing that takes its bytes, from a source that cannot be paused after all", () => {
    const parent = new FakeStreamParent(1);
    const stream = new Stream(fakePlan(new FakeUpstream(), { overflow: "pause" }), parent);
    const consumer = new FakeConsumer();
    const cursor = stream.attach(consumer, false);
    stream.start(1000);
    stream.opened();
    stream.cannotPause();
    expect(stream.ring.capacity).toBe(256 * KIB);
    // Faster than by age, and the whole ring is smaller than what is written at once.
    append(stream, 0, 1000);
    stream.tick(2000);
    expect([cursor.droppedPackets, consumer.bytes.length]).toEqual([0, 1000 * UNIT]);
    stream.detach(cursor);
    expect(parent.budget.usedBytes).toBe(0);
  });

  test("make room for themselves in the smallest ring, once it is shared", () => {
    const parent = new FakeStreamParent(1);
    const stream = new Stream(fakePlan(new FakeUpstream(), { overflow: "pause" }), parent);
    const slow = new FakeConsumer();
    slow.room = 10;
    const cursors = [stream.attach(slow, false), stream.attach(new FakeConsumer(), false)];
    stream.start(1000);
    expect(stream.ring.capacity).toBe(64 * KIB);
    for (let i = 0; i < 40; i++) {
      stream.append(unit, 0, i % 2 === 0 ? 60_000 : 30_000);
      expect(stream.ring.holds(cursors[0]!.position)).toBe(true);
      stream.tick(1001 + i);
    }
    for (const cursor of cursors) stream.detach(cursor);
  });
});
