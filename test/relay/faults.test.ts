/** Whoever throws is over, with a log line, and nobody else notices: consumers, upstreams and those who inspect. */

import { afterEach, describe, expect, test } from "bun:test";
import type { Consumer } from "../../src/relay/consumer.ts";
import { Hub } from "../../src/relay/hub.ts";
import { Stream } from "../../src/relay/stream.ts";
import { UpstreamError } from "../../src/relay/upstream.ts";
import { allocate } from "../../src/system/memory.ts";
import { type RecordingLog, recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { FakeConsumer, FakeStream, FakeStreamParent, FakeUpstream, fakePlan, NOTHING_LEFT } from "../fakes/upstream.ts";

const WAIT_MS = 5000;
const UNIT = 1316;
const unit = allocate(70_000);
for (let i = 0; i < unit.bytes.length; i++) unit.bytes[i] = i % 251;

/** Puts a consumer into the situation in which the method is called. */
const PROVOCATIONS: Readonly<Record<keyof Consumer, (fake: FakeStream, consumer: FakeConsumer) => void>> = {
  opened: ({ stream }) => stream.opened(),
  write: ({ stream }) => stream.tick(2000),
  entered: ({ stream }) => stream.entered(5),
  paused: () => {},
  dropped: ({ stream }, consumer) => {
    consumer.room = 10;
    for (let sent = 0; sent < 8 * 1024 * 1024; sent += UNIT) {
      stream.append(unit, 0, UNIT);
      if (sent % (50 * UNIT) === 0) stream.tick(2000 + sent / UNIT);
    }
  },
  end: ({ stream }) => stream.ended(undefined),
};

describe("a consumer that throws in", () => {
  test.each(["opened", "write", "entered", "dropped", "end"] as const)("%s is alone with that", (name) => {
    const others = [new FakeConsumer(), new FakeConsumer()] as const;
    const bad = new FakeConsumer();
    bad.throwsIn = name;
    const fake = new FakeStream({ consumer: others[0] });
    const { stream, upstream, parent } = fake;
    fake.join(bad);
    fake.join(others[1]);
    stream.append(unit, 0, UNIT);
    PROVOCATIONS[name](fake, bad);

    expect(stream.cursors.map(({ consumer }) => consumer)).toEqual([...others]);
    expect(parent.log.lines).toEqual([expect.stringContaining(`ERROR fake://upstream: a consumer has failed: `)]);
    expect(parent.log.lines[0]).toContain(`fault in ${name}`);
    expect(bad.ends).toHaveLength(1);
    if (name !== "end") expect(bad.ends[0]).toMatchObject({ message: `fault in ${name}` });

    expect(upstream.closes).toBe(name === "end" ? 1 : 0);
    stream.append(unit, UNIT, UNIT);
    if (stream.isOpen) stream.tick(100_000);
    stream.ended(undefined);
    for (const { bytes, ends } of others) {
      expect(bytes.length).toBe(stream.ring.head);
      expect(bytes.subarray(0, UNIT)).toEqual(Buffer.from(unit.bytes.subarray(0, UNIT)));
      expect(ends).toEqual([undefined]);
    }
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });

  test("paused ends its stream, which is nobody else's", () => {
    const bad = new FakeConsumer();
    bad.room = 0;
    bad.throwsIn = "paused";
    const fake = new FakeStream({ consumer: bad, overflow: "pause" });
    const { stream, upstream, parent } = fake;
    upstream.onTick = () => stream.fill((_, __, length) => length);
    stream.tick(2000);
    expect([bad.pauses, bad.ends.length, stream.cursors.length]).toEqual([[true], 1, 0]);
    expect(parent.log.lines).toEqual([expect.stringContaining("fault in paused")]);
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });

  test.each(["opened", "write", "entered"] as const)("%s as it joins others is not joined", (name) => {
    const other = new FakeConsumer();
    const fake = new FakeStream({ consumer: other });
    const { stream } = fake;
    stream.entered(5);
    stream.opened();
    stream.markRandomAccess(0, new Uint8Array(0));
    stream.append(unit, 0, UNIT);
    const bad = new FakeConsumer();
    bad.throwsIn = name;
    const cursor = fake.join(bad, true);
    expect([bad.ends.length, stream.cursors.length]).toEqual([1, 1]);
    // What it can no longer take keeps nothing waiting, and no memory.
    const { capacity } = stream.ring;
    for (let sent = 0; sent < 4 * capacity; sent += UNIT) {
      stream.append(unit, 0, UNIT);
      if (sent % (50 * UNIT) === 0) stream.tick(2000 + sent / UNIT);
    }
    expect(stream.ring.capacity).toBe(capacity);
    stream.detach(cursor);
    stream.detach(cursor);
    stream.tick(100_000);
    expect(other.bytes.length).toBe(stream.ring.head);
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });

  test("everything at once does so once", () => {
    const other = new FakeConsumer();
    const fake = new FakeStream({ consumer: other });
    const broken = new Error("broken");
    const fail = () => {
      throw broken;
    };
    fake.join({ opened: fail, write: fail, entered: fail, paused: fail, dropped: fail, end: fail });
    fake.stream.append(unit, 0, UNIT);
    fake.tick(2000);
    fake.stream.entered(3);
    expect([fake.stream.cursors.length, fake.parent.log.lines.length]).toEqual([1, 1]);
    expect(other.bytes).toHaveLength(UNIT);
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });

  test("the last one closes the upstream", () => {
    const bad = new FakeConsumer();
    bad.throwsIn = "write";
    const fake = new FakeStream({ consumer: bad });
    fake.upstream.onTick = () => {
      for (let i = 0; i < 2000; i++) fake.stream.append(unit, 0, UNIT);
    };
    fake.tick(2000);
    expect([fake.upstream.closes, fake.parent.closes]).toEqual([1, [fake.stream]]);
    expect(fake.leave()).toEqual(NOTHING_LEFT);
  });

  test("the last one may be gone before the upstream is open", () => {
    for (const failure of [undefined, new UpstreamError("x", "cannot be opened either")]) {
      const bad = new FakeConsumer();
      bad.throwsIn = "entered";
      const upstream = new FakeUpstream();
      const parent = new FakeStreamParent();
      const open = () => {
        upstream.parent.entered(1);
        if (failure) throw failure;
      };
      const stream = new Stream(fakePlan(upstream, { open }), parent);
      stream.attach(bad, false);
      stream.start(1000);
      expect([stream.isOpen, upstream.closes, parent.closes]).toEqual([false, failure ? 0 : 1, [stream]]);
      expect([parent.budget.usedBytes, parent.budget.streams]).toEqual([0, 0]);
    }
  });
});

describe("an upstream", () => {
  let log: RecordingLog = recordingLog();
  let hub = new Hub({ bufferSlots: 16_384, fastStart: false, log });
  afterEach(() => {
    hub.close();
    expect([hub.size, hub.budget.usedBytes, hub.budget.streams, hub.tick.isRunning]).toEqual([0, 0, 0, false]);
    log = recordingLog();
    hub = new Hub({ bufferSlots: 16_384, fastStart: false, log });
  });

  /** Another stream, which brings a unit with each tick; call the answer to see that it goes on. */
  function bystander(): () => Promise<void> {
    const upstream = new FakeUpstream();
    const consumer = new FakeConsumer();
    upstream.onTick = () => upstream.parent.append(unit, 0, UNIT);
    const subscription = hub.join(fakePlan(upstream, { key: "bystander" }), consumer);
    return async () => {
      const before = consumer.bytes.length;
      await until(() => consumer.bytes.length > before + UNIT, WAIT_MS, "the other stream to go on");
      expect(consumer.ends).toEqual([]);
      subscription.close();
    };
  }

  test("that throws in tick ends: its consumers get what they are owed and are told why", async () => {
    const goesOn = bystander();
    const upstream = new FakeUpstream();
    const [fast, slow] = [new FakeConsumer(), new FakeConsumer()];
    slow.room = 100;
    const plan = fakePlan(upstream, { key: "bad" });
    const subscriptions = [hub.join(plan, fast), hub.join(plan, slow)] as const;
    const fault = new Error("fault in tick");
    upstream.onTick = () => {
      upstream.parent.append(unit, 0, UNIT);
      throw fault;
    };
    await until(() => fast.ends.length > 0, WAIT_MS, "the end");
    expect([fast.ends, fast.bytes.length, upstream.closes, upstream.ticks]).toEqual([[fault], UNIT, 1, 1]);
    expect([slow.ends, slow.bytes.length]).toEqual([[], 100]);
    slow.room = UNIT;
    subscriptions[1].drained();
    expect([slow.ends, slow.bytes.length]).toEqual([[fault], UNIT]);
    for (const subscription of subscriptions) subscription.close();
    expect(log.lines).toEqual([expect.stringMatching(/^ERROR fake:\/\/upstream: has failed: .*fault in tick/s)]);
    await goesOn();
  });

  test.each([
    [
      "an UpstreamError, which says all",
      new UpstreamError("no-route", "no route to 1.2.3.4", 503),
      /^ERROR no route to 1.2.3.4$/,
    ],
    [
      "anything else, which is a fault",
      new Error("fault"),
      /^ERROR fake:\/\/upstream: cannot be opened: Error: fault.* at /s,
    ],
  ])("whose open throws %s", async (_, failure, line) => {
    const goesOn = bystander();
    const consumer = new FakeConsumer();
    const open = () => {
      throw failure;
    };
    const subscription = hub.join(fakePlan(new FakeUpstream(), { key: "bad", open }), consumer);
    expect([consumer.ends, consumer.infos, consumer.chunks]).toEqual([[failure], [], []]);
    expect(log.lines).toEqual([expect.stringMatching(line)]);
    expect(hub.size).toBe(1);
    subscription.drained();
    subscription.resume();
    subscription.close();
    expect(consumer.ends).toHaveLength(1);
    // The key is free again.
    const upstream = new FakeUpstream();
    const again = hub.join(fakePlan(upstream, { key: "bad" }), new FakeConsumer());
    expect(hub.size).toBe(2);
    again.close();
    expect(upstream.closes).toBe(1);
    await goesOn();
  });

  test("whose open throws after it has brought something is told too", () => {
    const failure = new UpstreamError("late", "too late");
    const consumer = new FakeConsumer();
    const open = (parent: { append: (from: typeof unit, offset: number, length: number) => void }) => {
      parent.append(unit, 0, UNIT);
      throw failure;
    };
    const subscription = hub.join(fakePlan(new FakeUpstream(), { open }), consumer);
    // What it is has never been known: there is no way to answer with it.
    expect([consumer.ends, consumer.chunks]).toEqual([[failure], []]);
    subscription.close();
  });

  test("that ends as it is opened tells its consumer, after what it has brought", () => {
    for (const cause of [undefined, new UpstreamError("no-group", "no such group")]) {
      const upstream = new FakeUpstream();
      const consumer = new FakeConsumer();
      const plan = fakePlan(upstream, {
        key: "ends at once",
        open: (parent) => {
          parent.opened();
          parent.append(unit, 0, UNIT);
          parent.ended(cause);
          parent.ended(new Error("too late"));
        },
      });
      const subscription = hub.join(plan, consumer);
      expect([consumer.infos, consumer.bytes.length, consumer.ends]).toEqual([[upstream.info], UNIT, [cause]]);
      expect([upstream.closes, hub.size, hub.tick.isRunning]).toEqual([1, 0, false]);
      subscription.close();
      expect([hub.budget.usedBytes, hub.budget.streams]).toEqual([0, 0]);
    }
  });

  test.each(["its last consumer leaves", "it has ended"])("whose close throws when %s", async (how) => {
    const goesOn = bystander();
    const upstream = new FakeUpstream();
    const consumer = new FakeConsumer();
    upstream.onClose = () => {
      throw new Error("fault in close");
    };
    const subscription = hub.join(fakePlan(upstream, { key: "bad" }), consumer);
    if (how === "it has ended") {
      upstream.parent.ended(undefined);
      expect(consumer.ends).toEqual([undefined]);
    }
    subscription.close();
    expect([upstream.closes, hub.size]).toEqual([1, 1]);
    expect(log.lines).toEqual([expect.stringMatching(/^ERROR fake:\/\/upstream: cannot be closed: .*fault in close/s)]);
    await goesOn();
  });
});
