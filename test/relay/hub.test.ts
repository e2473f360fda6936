import { afterEach, describe, expect, test } from "bun:test";
import { Hub, type Subscription } from "../../src/relay/hub.ts";
import { allocate } from "../../src/system/memory.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { FakeConsumer, FakeUpstream, fakePlan } from "../fakes/upstream.ts";

const WAIT_MS = 5000;
const unit = allocate(2000);

const newHub = (fastStart = true) => new Hub({ bufferSlots: 16_384, fastStart, log: recordingLog() });
let hub = newHub();
const opened: FakeUpstream[] = [];
const subscriptions: Subscription[] = [];

function join(key: string | undefined, consumer = new FakeConsumer()): Subscription {
  const upstream = new FakeUpstream();
  const open = () => {
    opened.push(upstream);
  };
  const subscription = hub.join(fakePlan(upstream, { ...(key !== undefined && { key }), open }), consumer);
  subscriptions.push(subscription);
  return subscription;
}

afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.close();
  expect([hub.size, hub.budget.usedBytes, hub.budget.streams, hub.tick.isRunning]).toEqual([0, 0, 0, false]);
  expect(opened.splice(0).every(({ closes }) => closes === 1)).toBe(true);
  hub = newHub();
});

describe("Hub", () => {
  test("lets consumers of the same key share one upstream, and only them", () => {
    for (const key of ["a", "a", "b", undefined, undefined]) join(key);
    expect([opened.length, hub.size]).toEqual([4, 4]);
    const [first, second, third, fourth, fifth] = subscriptions.map(({ source }) => source);
    expect(first).toBe(second!);
    expect(new Set([first, third, fourth, fifth]).size).toBe(4);
    subscriptions[0]!.close();
    subscriptions[0]!.close();
    expect([hub.size, opened[0]!.closes]).toEqual([4, 0]);
    subscriptions[1]!.close();
    expect([hub.size, opened[0]!.closes]).toEqual([3, 1]);
  });

  test("opens a key anew after its last consumer has left", () => {
    join("a").close();
    join("a");
    expect(opened).toHaveLength(2);
  });

  test("ticks what is open and writes to its consumers", async () => {
    const consumer = new FakeConsumer();
    consumer.room = 100;
    const subscription = join("a", consumer);
    const [upstream] = opened;
    await until(() => upstream!.ticks > 0, WAIT_MS, "a tick");
    upstream!.parent.append(unit, 0, 1316);
    await until(() => consumer.bytes.length === 100, WAIT_MS, "the first bytes");
    consumer.room = 5000;
    subscription.drained();
    expect([consumer.bytes.length, subscription.cursor.sentBytes]).toEqual([1316, 1316]);
  });

  test("lets an upstream that has something to read tick at once, and only while it is open", () => {
    const subscription = join("a");
    join("b");
    const [upstream, other] = opened;
    upstream!.parent.wake();
    expect([upstream!.ticks, other!.ticks]).toEqual([1, 0]);
    subscription.close();
    upstream!.parent.wake();
    expect(upstream!.ticks).toBe(1);
  });

  test("begins at the last random access point only when told to", () => {
    for (const fastStart of [true, false]) {
      const consumer = new FakeConsumer();
      hub = newHub(fastStart);
      const first = join("a");
      const { parent } = opened.at(-1)!;
      parent.markRandomAccess(188, new Uint8Array(376));
      parent.append(unit, 0, 1316);
      const second = join("a", consumer);
      expect(consumer.bytes.length).toBe(fastStart ? 376 + 1316 - 188 : 0);
      first.close();
      second.close();
    }
  });

  test("forgets an upstream that has ended at once, while its consumers still drain", () => {
    const consumer = new FakeConsumer();
    consumer.room = 10;
    const subscription = join("a", consumer);
    const cause = new Error("silent");
    opened[0]!.parent.append(unit, 0, 1316);
    opened[0]!.parent.ended(cause);
    expect([hub.size, hub.tick.isRunning, consumer.ends.length]).toEqual([0, false, 0]);
    join("a");
    expect(opened).toHaveLength(2);
    consumer.room = 5000;
    subscription.drained();
    expect([consumer.bytes.length, consumer.ends]).toEqual([1316, [cause]]);
    subscription.close();
    expect([hub.size, opened[1]!.closes]).toEqual([1, 0]);
  });

  test("lets a consumer join the same key from within its end", () => {
    const consumer = new FakeConsumer();
    const again = new FakeConsumer();
    consumer.onEnd = () => join("a", again);
    join("a", consumer);
    opened[0]!.parent.ended(undefined);
    expect([opened.length, hub.size]).toEqual([2, 1]);
    opened[1]!.parent.append(unit, 0, 1316);
    opened[1]!.parent.wake();
    expect([consumer.bytes.length, again.bytes.length]).toEqual([0, 1316]);
  });

  test("close ends every stream", () => {
    const consumers = [new FakeConsumer(), new FakeConsumer(), new FakeConsumer()];
    join("a", consumers[0]);
    join("b", consumers[1]);
    join(undefined, consumers[2]);
    opened[0]!.parent.append(unit, 0, 1316);
    hub.close();
    expect(consumers.map(({ bytes, ends }) => [bytes.length, ends])).toEqual([
      [1316, [undefined]],
      [0, [undefined]],
      [0, [undefined]],
    ]);
    expect(hub.size).toBe(0);
  });
});
