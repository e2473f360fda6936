/** The hub against a simple model: who shares with whom, what everybody gets, and that nothing is left. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { Hub, type Subscription } from "../../src/relay/hub.ts";
import { type Overflow, UpstreamError } from "../../src/relay/upstream.ts";
import { allocate } from "../../src/system/memory.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { FakeConsumer, FakeUpstream, fakePlan } from "../fakes/upstream.ts";
import { noise } from "../http/serve.ts";

const UNIT = 1316;
/** The byte at position n of every stream is that at `n % PERIOD`. */
const PERIOD = 65_521;
const pattern = allocate(PERIOD + 1024 * 1024);
const period = noise(PERIOD);
for (let at = 0; at < pattern.bytes.length; at += PERIOD) {
  pattern.bytes.set(period.subarray(0, pattern.bytes.length - at), at);
}
/** So many bytes behind a gap may happen to be those that were left out. */
const COINCIDENCE_BYTES = 4;

/** A stream as the model knows it. */
interface ModelStream {
  readonly upstream: FakeUpstream;
  readonly how: "append" | "fill";
  readonly overflow: Overflow;
  readonly members: Set<ModelClient>;
  head: number;
  /** What the next tick brings. */
  pending: number;
  /** More than one has shared it at some time: then whoever was slow may have skipped. */
  wasShared: boolean;
}

interface ModelClient {
  readonly consumer: FakeConsumer;
  readonly stream: ModelStream;
  readonly from: number;
  subscription: Subscription;
  expectedEnd: { cause: Error | undefined } | undefined;
}

class World {
  readonly hub: Hub;
  readonly log = recordingLog();
  readonly open = new Map<string, ModelStream>();
  readonly streams: ModelStream[] = [];
  readonly clients: ModelClient[] = [];

  constructor(slots: number) {
    this.hub = new Hub({ bufferSlots: slots, fastStart: false, log: this.log });
  }

  join(key: string, how: ModelStream["how"], overflow: Overflow, room: number): void {
    const shared = this.open.get(key);
    const stream = shared ?? this.#makeStream(how, overflow);
    const consumer = new FakeConsumer();
    consumer.room = room;
    let opens = 0;
    const open = () => {
      opens++;
    };
    const plan = fakePlan(stream.upstream, { key, overflow: stream.overflow, open });
    const client: ModelClient = {
      consumer,
      stream,
      from: stream.head,
      subscription: this.hub.join(plan, consumer),
      expectedEnd: undefined,
    };
    expect(opens).toBe(shared ? 0 : 1);
    this.open.set(key, stream);
    stream.members.add(client);
    if (stream.members.size > 1) stream.wasShared = true;
    this.clients.push(client);
    for (const other of this.clients) {
      expect(other.subscription.source === client.subscription.source).toBe(other.stream === stream);
    }
  }

  fail(key: string): void {
    if (this.open.has(key)) return;
    const consumer = new FakeConsumer();
    const failure = new UpstreamError("no", "cannot be opened");
    const open = () => {
      throw failure;
    };
    const subscription = this.hub.join(fakePlan(new FakeUpstream(), { key, open }), consumer);
    expect(consumer.ends).toEqual([failure]);
    subscription.close();
  }

  leave(client: ModelClient): void {
    client.subscription.close();
    client.subscription.close();
    client.stream.members.delete(client);
    if (client.stream.members.size === 0) this.#forget(client.stream);
  }

  end(stream: ModelStream, cause: Error | undefined, how: "ended" | "throws"): void {
    if (!this.#isOpen(stream)) return;
    for (const client of stream.members) client.expectedEnd = { cause };
    this.#forget(stream);
    if (how === "ended") stream.upstream.parent.ended(cause);
    else {
      stream.upstream.onTick = () => {
        throw cause;
      };
      stream.upstream.parent.wake();
    }
    expect(stream.upstream.closes).toBe(1);
  }

  bring(stream: ModelStream, bytes: number): void {
    if (!this.#isOpen(stream)) return;
    stream.pending += bytes;
    stream.upstream.parent.wake();
  }

  drain(client: ModelClient, bytes: number): void {
    if (client.consumer.ends.length > 0 || !this.#isHere(client)) return;
    client.consumer.room += bytes;
    const { cursor } = client.subscription;
    if (!cursor.blocked || bytes === 0) return;
    client.subscription.drained();
    if (client.consumer.pauses.at(-1)) client.subscription.resume();
  }

  check(): void {
    expect(this.hub.size).toBe(this.open.size);
    expect(this.hub.tick.isRunning).toBe(this.open.size > 0);
    for (const client of this.clients) if (this.#isHere(client)) this.#judge(client);
  }

  /** Everybody takes everything and leaves. */
  finish(): void {
    for (const stream of [...this.open.values()]) this.end(stream, undefined, "ended");
    for (const client of this.clients) {
      if (!this.#isHere(client)) continue;
      for (let i = 0; client.consumer.ends.length === 0; i++) {
        if (i > 1000) throw new Error("hangs");
        this.drain(client, 100_000);
      }
      this.#judge(client);
      const { sentBytes, droppedBytes } = client.subscription.cursor;
      expect(sentBytes + droppedBytes).toBe(client.stream.head - client.from);
    }
    for (const client of this.clients) if (this.#isHere(client)) this.leave(client);
    const { budget, size, tick } = this.hub;
    expect([budget.usedBytes, budget.streams, size, tick.isRunning]).toEqual([0, 0, 0, false]);
    expect(this.streams.every(({ upstream }) => upstream.closes === 1)).toBe(true);
    const faults = this.log.lines.filter((line) => !line.includes("cannot be opened") && !line.includes("fault"));
    expect(faults).toEqual([]);
  }

  /** What a client has got is the stream from where it joined, but for what was counted as dropped. */
  #judge({ consumer, stream, from, subscription, expectedEnd }: ModelClient): void {
    const { bytes } = consumer;
    const { cursor } = subscription;
    let position = from;
    let at = 0;
    while (at < bytes.length) {
      const length = commonLength(bytes, at, position);
      at += length;
      position += length;
      if (at === bytes.length || length === PERIOD) continue;
      // A gap of whole units, between two units.
      const begun = position % UNIT;
      if (begun <= COINCIDENCE_BYTES) {
        position -= begun;
        at -= begun;
      } else throw new Error(`a unit is cut at ${position}`);
      const gap = gapAt(bytes, at, position, stream.head);
      if (gap === undefined) throw new Error(`wrong bytes at ${position}`);
      position += gap;
    }
    expect(position - from - bytes.length).toBeLessThanOrEqual(cursor.droppedBytes);
    if (stream.overflow === "pause" && !stream.wasShared) expect(cursor.droppedBytes).toBe(0);
    if (cursor.droppedBytes > 0) expect(cursor.droppedPackets).toBeGreaterThan(0);
    expect(consumer.ends).toEqual(expectedEnd && consumer.ends.length > 0 ? [expectedEnd.cause] : []);
    for (let i = 1; i < consumer.pauses.length; i++) {
      if (consumer.pauses[i]) expect(consumer.pauses[i - 1]).toBe(false);
    }
  }

  #isOpen(stream: ModelStream): boolean {
    return [...this.open.values()].includes(stream);
  }

  #isHere(client: ModelClient): boolean {
    return client.stream.members.has(client);
  }

  #forget(stream: ModelStream): void {
    for (const [key, open] of this.open) if (open === stream) this.open.delete(key);
  }

  #makeStream(how: ModelStream["how"], overflow: Overflow): ModelStream {
    const upstream = new FakeUpstream();
    const stream: ModelStream = { upstream, how, overflow, members: new Set(), head: 0, pending: 0, wasShared: false };
    // Ticks come from this test alone.
    upstream.tickMs = 1e6;
    upstream.onTick = () => (how === "append" ? appendTo(stream) : fillTo(stream));
    this.streams.push(stream);
    return stream;
  }
}

function appendTo(stream: ModelStream): void {
  for (; stream.pending >= UNIT; stream.pending -= UNIT) {
    stream.upstream.parent.append(pattern, stream.head % PERIOD, UNIT);
    stream.head += UNIT;
  }
}

function fillTo(stream: ModelStream): void {
  stream.upstream.parent.fill((into, offset, length) => {
    if (offset + length > into.bytes.length) throw new Error("asked to write behind the memory");
    const count = Math.min(length, stream.pending);
    const from = stream.head % PERIOD;
    into.bytes.set(pattern.bytes.subarray(from, from + count), offset);
    stream.head += count;
    stream.pending -= count;
    return count;
  });
}

function commonLength(bytes: Uint8Array, at: number, position: number): number {
  const most = Math.min(bytes.length - at, PERIOD);
  const expected = pattern.bytes.subarray(position % PERIOD, (position % PERIOD) + most);
  if (Buffer.compare(bytes.subarray(at, at + most), expected) === 0) return most;
  let length = 0;
  while (length < most && bytes[at + length] === expected[length]) length++;
  return length;
}

/** How many bytes were left out, in whole units. */
function gapAt(bytes: Uint8Array, at: number, position: number, head: number): number | undefined {
  const probe = bytes.subarray(at, at + 64);
  for (let gap = 1; position + gap < head; gap++) {
    if ((position + gap) % UNIT !== 0) continue;
    const from = (position + gap) % PERIOD;
    if (Buffer.compare(probe, pattern.bytes.subarray(from, from + probe.length)) === 0) return gap;
  }
  return undefined;
}

const key = fc.constantFrom("a", "b", "c");
const which = fc.nat(1000);
const bytes = fc.oneof(fc.nat(20_000), fc.nat(900_000));
const how = fc.constantFrom<ModelStream["how"]>("append", "fill");
const overflow = fc.constantFrom<Overflow>("skip", "pause");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ key, how, overflow, room: fc.oneof(fc.constant(1e9), bytes) }) },
  { weight: 6, arbitrary: fc.record({ brings: which, bytes }) },
  { weight: 4, arbitrary: fc.record({ drains: which, bytes }) },
  { weight: 1, arbitrary: fc.record({ leaves: which }) },
  { weight: 1, arbitrary: fc.record({ ends: which, end: fc.constantFrom("ended", "failed", "throws") }) },
  { weight: 1, arbitrary: fc.record({ fails: key }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function act(world: World, what: Step): void {
  const { clients, streams } = world;
  if ("key" in what) world.join(what.key, what.how, what.overflow, what.room);
  else if ("fails" in what) world.fail(what.fails);
  else if (clients.length === 0) return;
  else if ("brings" in what) world.bring(streams[what.brings % streams.length]!, what.bytes);
  else if ("drains" in what) world.drain(clients[what.drains % clients.length]!, what.bytes);
  else if ("leaves" in what) world.leave(clients[what.leaves % clients.length]!);
  else {
    const cause = what.end === "ended" ? undefined : new Error("fault");
    world.end(streams[what.ends % streams.length]!, cause, what.end === "throws" ? "throws" : "ended");
  }
}

test("any order of joins, leaves, ends, failures and pauses", () => {
  const slots = fc.constantFrom(1, 200, 700, 16_384);
  fc.assert(
    fc.property(slots, fc.array(step, { maxLength: 50, size: "max" }), (slotCount, steps) => {
      const world = new World(slotCount);
      for (const what of steps) {
        act(world, what);
        world.check();
      }
      world.finish();
    }),
    { numRuns: 60 },
  );
});
