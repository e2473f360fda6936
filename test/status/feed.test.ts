import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type FeedReader, StatusFeed } from "../../src/status/feed.ts";
import { LogRing } from "../../src/status/log-ring.ts";
import { serviceStatus } from "../../src/status/snapshot.ts";
import { emitServiceStatus } from "../../src/wire/status/event.ts";
import { snapshotWith } from "../fakes/snapshot.ts";

const SNAPSHOT = snapshotWith();
const START = emitServiceStatus(serviceStatus(SNAPSHOT));

/** The ring of all processes, whose news go to a feed. */
class World {
  readonly ring = new LogRing();
  readonly feed = new StatusFeed();
  readonly watched: boolean[] = [];
  #cursor = 0;

  constructor() {
    this.feed.onWatched = (isWatched) => {
      this.watched.push(isWatched);
      if (isWatched) this.#cursor = 0;
    };
  }

  log(text: string): void {
    this.ring.append({ level: 3, time: 0, text });
  }

  publish(): void {
    const reading = this.ring.read(this.#cursor);
    this.#cursor = reading.cursor;
    this.feed.publish(SNAPSHOT, reading);
  }
}

const MAX_READERS = 100;

class Reader {
  cursor = 0;
  /** The list that a page would show. */
  lines: string[] = [];
  mode = "";
  readonly listener: FeedReader;
  readonly #feed: StatusFeed;

  constructor(feed: StatusFeed, published = () => {}) {
    this.#feed = feed;
    this.listener = { isBehind: false, published, dismissed: () => {} };
    feed.open(this.listener);
  }

  read(): void {
    const event = this.#feed.read(this.cursor);
    if (!event) return;
    const text = Buffer.from(event.bytes).toString();
    expect(text).toStartWith(`data: ${START},"logsMode":`);
    expect(text).toEndWith("}\n\n");
    const { logsMode, logs } = JSON.parse(text.slice("data: ".length));
    this.cursor = event.cursor;
    this.mode = logsMode;
    const messages = logs.map(({ message }: { message: string }) => message);
    this.lines = logsMode === "full" ? messages : [...this.lines, ...messages];
  }
}

describe("readers", () => {
  test("have cursors of their own, and share the bytes of an event", () => {
    const { feed, ...world } = new World();
    const ring = world.ring;
    let cursor = 0;
    const publish = () => {
      const reading = ring.read(cursor);
      cursor = reading.cursor;
      feed.publish(SNAPSHOT, reading);
    };
    const first = new Reader(feed);
    expect(feed.read(0)).toBeUndefined();
    ring.append({ level: 3, time: 0, text: "1" });
    publish();
    first.read();
    expect([first.mode, first.lines]).toEqual(["full", ["1"]]);
    ring.append({ level: 3, time: 0, text: "2" });
    publish();
    const second = new Reader(feed, () => {});
    first.read();
    second.read();
    expect([first.mode, second.mode]).toEqual(["incremental", "full"]);
    expect([first.lines, second.lines]).toEqual([
      ["1", "2"],
      ["1", "2"],
    ]);
    expect(feed.read(first.cursor)?.bytes).toBe(feed.read(second.cursor)!.bytes);
    publish();
    first.read();
    expect(first.mode).toBe("none");
  });

  test("show what the ring of all processes holds, however seldom they read", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 70 }) },
      fc.constantFrom("clear", "publish", "read 0", "read 1"),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new World();
        const readers = [new Reader(world.feed), new Reader(world.feed, () => {})];
        let number = 0;
        for (const what of steps) {
          if (typeof what === "number") for (let i = 0; i < what; i++) world.log(`${number++}`);
          else if (what === "clear") world.ring.clear();
          else if (what === "publish") world.publish();
          else readers[what === "read 0" ? 0 : 1]!.read();
        }
        world.publish();
        const all = world.ring.read(0).logs.map(({ message }) => message);
        for (const reader of readers) {
          reader.read();
          expect(reader.lines.slice(-all.length || reader.lines.length)).toEqual(all);
        }
      }),
    );
  });
});

test("only the first reader and the last one matter to others", () => {
  const world = new World();
  world.publish();
  expect(world.feed.read(0)).toBeUndefined();
  let calls = 0;
  const one = new Reader(world.feed, () => calls++);
  const two = new Reader(world.feed, () => {});
  expect(world.watched).toEqual([true]);
  world.publish();
  expect(calls).toBe(1);
  world.feed.close(one.listener);
  world.feed.close(one.listener);
  expect(world.watched).toEqual([true]);
  world.feed.close(two.listener);
  expect(world.watched).toEqual([true, false]);
  expect(world.feed.read(0)).toBeUndefined();
});

test("one reader too many takes the place of the oldest that does not read, else of the oldest", () => {
  const feed = new StatusFeed();
  const dismissed: number[] = [];
  const reader = (number: number, isBehind = false): FeedReader => {
    const self = {
      isBehind,
      published() {},
      dismissed() {
        dismissed.push(number);
        feed.close(self);
      },
    };
    return self;
  };
  for (let i = 0; i < MAX_READERS; i++) feed.open(reader(i, i === 7 || i === 8));
  expect(dismissed).toEqual([]);
  for (let i = 0; i < 4; i++) feed.open(reader(MAX_READERS + i));
  expect(dismissed).toEqual([7, 8, 0, 1]);
});
