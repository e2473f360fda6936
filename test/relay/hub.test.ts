import { afterEach, describe, expect, test } from "bun:test";
import type { ClientSink } from "../../src/relay/cursor.ts";
import { Hub, type Subscription } from "../../src/relay/hub.ts";
import type { Upstream, UpstreamParent } from "../../src/relay/stream.ts";
import { USUAL_TICK_MS } from "../../src/relay/tick.ts";
import { allocate } from "../../src/system/memory.ts";
import { until } from "../fakes/until.ts";

const unit = allocate(2000);

class FakeUpstream implements Upstream {
  readonly parent: UpstreamParent;
  readonly tickMs = USUAL_TICK_MS;
  readonly info = { protocol: "multicast" } as const;
  ticks = 0;
  closes = 0;

  constructor(parent: UpstreamParent) {
    this.parent = parent;
  }

  tick(): void {
    this.ticks++;
  }

  close(): void {
    this.closes++;
  }
}

class FakeClient implements ClientSink {
  room = Number.POSITIVE_INFINITY;
  bytes = 0;
  readonly ends: (Error | undefined)[] = [];
  upstream: Upstream | undefined;

  write(_: Uint8Array, __: number, length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.bytes += taken;
    return taken;
  }

  end(cause: Error | undefined): void {
    this.ends.push(cause);
  }
}

let hub = new Hub({ bufferSlots: 16_384, fastStart: true });
const opened: FakeUpstream[] = [];
const subscriptions: Subscription[] = [];

function join(key: string, client = new FakeClient()): Subscription {
  const subscription = hub.join(
    key,
    (parent) => {
      const upstream = new FakeUpstream(parent);
      opened.push(upstream);
      return upstream;
    },
    (upstream) => {
      client.upstream = upstream;
      return client;
    },
  );
  subscriptions.push(subscription);
  return subscription;
}

afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.close();
  expect([hub.size, hub.budget.usedBytes, hub.budget.streams, hub.tick.isRunning]).toEqual([0, 0, 0, false]);
  expect(opened.splice(0).every(({ closes }) => closes === 1)).toBe(true);
  hub = new Hub({ bufferSlots: 16_384, fastStart: true });
});

describe("Hub", () => {
  test("lets clients of the same key share one upstream, and only them", () => {
    const clients = [new FakeClient(), new FakeClient(), new FakeClient()];
    ["a", "a", "b"].forEach((key, i) => {
      join(key, clients[i]);
    });
    expect([opened.length, hub.size]).toEqual([2, 2]);
    expect(clients.map(({ upstream }) => upstream)).toEqual([opened[0], opened[0], opened[1]]);
    subscriptions[0]!.close();
    subscriptions[0]!.close();
    expect([hub.size, opened[0]!.closes]).toEqual([2, 0]);
    subscriptions[1]!.close();
    expect([hub.size, opened[0]!.closes]).toEqual([1, 1]);
  });

  test("opens a key anew after its last client has left", () => {
    join("a").close();
    join("a");
    expect(opened).toHaveLength(2);
  });

  test("ticks what is open and writes to its clients", async () => {
    const client = new FakeClient();
    client.room = 100;
    const subscription = join("a", client);
    const [upstream] = opened;
    await until(() => upstream!.ticks > 0, 2000, "a tick");
    upstream!.parent.append(unit, 0, 1316);
    await until(() => client.bytes === 100, 2000, "the first bytes");
    client.room = 5000;
    subscription.drained();
    expect([client.bytes, subscription.cursor.sentBytes]).toEqual([1316, 1316]);
  });

  test("begins at the last random access point only when told to", () => {
    for (const fastStart of [true, false]) {
      const client = new FakeClient();
      hub = new Hub({ bufferSlots: 16_384, fastStart });
      const first = join("a");
      const { parent } = opened.at(-1)!;
      parent.markRandomAccess(188, new Uint8Array(376));
      parent.append(unit, 0, 1316);
      const second = join("a", client);
      expect(client.bytes).toBe(fastStart ? 376 + 1316 - 188 : 0);
      first.close();
      second.close();
    }
  });

  test("passes on why an upstream cannot be opened, and keeps nothing of it", () => {
    const failure = new Error("refused");
    const fail = () => {
      throw failure;
    };
    expect(() => hub.join("a", fail, () => new FakeClient())).toThrow(failure);
    expect([hub.size, hub.budget.usedBytes, hub.tick.isRunning]).toEqual([0, 0, false]);
  });

  test("forgets an upstream that has ended at once, while its clients still drain", () => {
    const client = new FakeClient();
    client.room = 10;
    const subscription = join("a", client);
    const cause = new Error("silent");
    opened[0]!.parent.append(unit, 0, 1316);
    opened[0]!.parent.ended(cause);
    expect([hub.size, hub.tick.isRunning, client.ends.length]).toEqual([0, false, 0]);
    join("a");
    expect(opened).toHaveLength(2);
    client.room = 5000;
    subscription.drained();
    expect([client.bytes, client.ends]).toEqual([1316, [cause]]);
    subscription.close();
    expect([hub.size, opened[1]!.closes]).toEqual([1, 0]);
  });

  test("close ends every stream", () => {
    const clients = [new FakeClient(), new FakeClient()];
    join("a", clients[0]);
    join("b", clients[1]);
    opened[0]!.parent.append(unit, 0, 1316);
    hub.close();
    expect(clients.map(({ bytes, ends }) => [bytes, ends.length])).toEqual([
      [1316, 1],
      [0, 1],
    ]);
    expect(hub.size).toBe(0);
  });
});

describe("nothing stays behind", () => {
  test("of an upstream that ends as it is opened", () => {
    const cause = new Error("no such group");
    let upstream: FakeUpstream | undefined;
    const open = (parent: UpstreamParent) => {
      upstream = new FakeUpstream(parent);
      parent.ended(cause);
      return upstream;
    };
    expect(() => hub.join("ends at once", open, () => new FakeClient())).toThrow(cause);
    expect([upstream?.closes, hub.size, hub.budget.usedBytes, hub.tick.isRunning]).toEqual([1, 0, 0, false]);
  });

  test("of a client that cannot be made", () => {
    const open = (parent: UpstreamParent) => new FakeUpstream(parent);
    const makeSink = () => {
      throw new Error("no client");
    };
    expect(() => hub.join("no client", open, makeSink)).toThrow("no client");
    expect([hub.size, hub.budget.usedBytes, hub.tick.isRunning]).toEqual([0, 0, false]);
  });
});
