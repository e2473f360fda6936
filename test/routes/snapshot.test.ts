import { describe, expect, test } from "bun:test";
import type { UpstreamParent } from "../../src/relay/upstream.ts";
import type { Snapshots } from "../../src/routes/snapshot.ts";
import { allocate } from "../../src/system/memory.ts";
import type { PlannedUpstream } from "../../src/upstream/planner.ts";
import { KeyFrameSearch } from "../../src/upstream/rtp/key-frame.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { FakeUpstream } from "../fakes/upstream.ts";
import { fakeProtocol, MediaServer } from "./media-server.ts";

const KEY_FRAME_TIMEOUT_MS = 2000;

const WAIT_MS = 5000;
const TS = 188;
const UNIT = 7 * TS;
const JPEG = Buffer.from("a picture");
const clip = allocate(2800 * TS);
clip.bytes.set((await Bun.file(`${import.meta.dir}/../../src/demo/clips/one.mpegts`).bytes()).subarray(0, 2800 * TS));
const BY_QUERY = ["?snapshot=1", {}] as const;
const BY_HEADER = ["", { "X-Request-Snapshot": "1" }] as const;

/** The key frame of the clip, and where the packet behind it ends. */
const search = new KeyFrameSearch();
const END_OF_SEARCH = search.push(clip.bytes, 0, clip.bytes.length);

/** A channel that is fed by the test, served by the media route with snapshots. */
class Relay {
  readonly asked: Uint8Array[] = [];
  readonly server: MediaServer;
  parent: UpstreamParent | undefined;
  signal: AbortSignal | undefined;
  #fed = 0;

  constructor(
    convert: () => Promise<Uint8Array | undefined>,
    {
      isOn = true,
      ...plan
    }: Partial<PlannedUpstream> & { isOn?: boolean; onOpen?: (parent: UpstreamParent) => void } = {},
  ) {
    const snapshots: Snapshots = {
      options: { ffmpegPath: "ffmpeg", ffmpegArgs: "" },
      ffmpeg: {
        jpegOf: (frame, _, signal) => {
          this.asked.push(frame);
          this.signal = signal;
          return convert();
        },
      },
    };
    const make = () => {
      const upstream = new FakeUpstream();
      upstream.info = { metadata: [["R2H-Upstream-Protocol", "multicast"]] };
      upstream.tickMs = 5;
      return upstream;
    };
    const onOpen = (parent: UpstreamParent) => {
      this.parent = parent;
      plan.onOpen?.(parent);
    };
    const protocols = [fakeProtocol(make, { ...plan, onOpen })];
    this.server = new MediaServer({ protocols, ...(isOn && { snapshots }) });
  }

  async request(
    [query, headers]: readonly [string, Readonly<Record<string, string>>],
    method = "GET",
  ): Promise<HttpClient> {
    const client = await this.server.request(`/fake/channel${query}`, method, headers);
    await until(() => this.parent !== undefined, WAIT_MS, "the request");
    return client;
  }

  /** Sends the next bytes of the clip. */
  feed(bytes: number): void {
    for (const end = this.#fed + bytes; this.#fed < end; ) {
      const length = Math.min(UNIT, end - this.#fed);
      this.parent!.append(clip, this.#fed, length);
      this.#fed += length;
    }
  }

  [Symbol.dispose](): void {
    this.server[Symbol.dispose]();
  }
}

const MORE_THAN_A_FRAME = END_OF_SEARCH + 20 * UNIT;
const picture = () => Promise.resolve(JPEG);
const noPicture = () => Promise.resolve(undefined);

test.each([
  ["the query", ...BY_QUERY],
  ["X-Request-Snapshot", ...BY_HEADER],
  ["Accept", "", { Accept: "text/html, IMAGE/JPEG;q=0.5" }],
] as const)("%s gets a picture of the first key frame, with the metadata of the stream", async (_, target, headers) => {
  using relay = new Relay(picture);
  using client = await relay.request([target, headers]);
  relay.feed(MORE_THAN_A_FRAME);
  const { head, body } = await client.response();
  expect(head.raw).toBe(
    "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n" +
      `Content-Length: ${JPEG.length}\r\nR2H-Upstream-Protocol: multicast\r\n\r\n`,
  );
  expect(body).toEqual(JPEG);
  expect(relay.asked.map((frame) => Buffer.from(frame))).toEqual([Buffer.from(search.frame)]);
  client.close();
  await until(() => relay.server.hub.size === 0, WAIT_MS, "the channel to be left");
});

test.each([
  ["snapshots are off", false, ...BY_HEADER],
  ["nobody asks for one", true, "?snapshot=0", { "X-Request-Snapshot": "0", Accept: "image/*" }],
] as const)("there is the stream when %s", async (_, isOn, target, headers) => {
  using relay = new Relay(picture, { isOn });
  using client = await relay.request([target, headers]);
  relay.feed(UNIT);
  expect((await client.head()).headers.get("content-type")).toBe("video/mp2t");
  expect(relay.asked).toEqual([]);
});

describe("without a picture", () => {
  test("who asked in the URL is told so", async () => {
    using relay = new Relay(noPicture);
    using client = await relay.request(BY_QUERY);
    relay.feed(MORE_THAN_A_FRAME);
    expect((await client.head()).status).toBe(500);
  });

  test("others get the stream from the key frame on, without a gap", async () => {
    using relay = new Relay(noPicture);
    using client = await relay.request(BY_HEADER);
    relay.feed(MORE_THAN_A_FRAME);
    await client.head();
    const expected = Buffer.concat([search.held, clip.bytes.subarray(END_OF_SEARCH, MORE_THAN_A_FRAME)]);
    expect((await client.read(expected.length)).equals(expected)).toBe(true);
    relay.feed(60 * UNIT);
    const more = clip.bytes.subarray(MORE_THAN_A_FRAME, MORE_THAN_A_FRAME + 60 * UNIT);
    expect((await client.read(more.length)).equals(Buffer.from(more))).toBe(true);
  });

  test("no media is no snapshot either", async () => {
    for (const how of [BY_QUERY, BY_HEADER]) {
      using relay = new Relay(picture);
      using client = await relay.request(how);
      relay.parent!.ended(new Error("silence"));
      expect((await client.head()).status).toBe(503);
    }
  });

  test("no media is none either when it is given up late", async () => {
    using relay = new Relay(picture);
    using client = await relay.request(BY_HEADER);
    await Bun.sleep(KEY_FRAME_TIMEOUT_MS + 100);
    relay.parent!.ended(new Error("silence"));
    expect((await client.head()).status).toBe(503);
  });

  test("a stream whose media come late is what it says by then", async () => {
    using relay = new Relay(picture);
    using client = await relay.request(BY_HEADER);
    await Bun.sleep(KEY_FRAME_TIMEOUT_MS + 100);
    relay.feed(UNIT);
    expect((await client.head()).headers.get("r2h-upstream-protocol")).toBe("multicast");
    expect((await client.read(UNIT)).equals(clip.bytes.subarray(0, UNIT))).toBe(true);
  });

  test("media without a key frame is given up after two seconds", async () => {
    const before = performance.now();
    await Promise.all(
      [BY_QUERY, BY_HEADER].map(async (how) => {
        using relay = new Relay(picture);
        using client = await relay.request(how);
        // Without tables nobody can tell what this is.
        const timer = setInterval(() => relay.parent!.append(clip, END_OF_SEARCH, 3 * TS), 20);
        const { status, headers } = await client.head().finally(() => clearInterval(timer));
        expect(performance.now() - before).toBeGreaterThan(KEY_FRAME_TIMEOUT_MS - 100);
        if (how === BY_QUERY) expect(status).toBe(500);
        else expect([status, headers.get("content-type")]).toEqual([200, "video/mp2t"]);
        expect(relay.asked).toEqual([]);
      }),
    );
  });
});

test("a stream that ends within its key frame is enough for a picture", async () => {
  using relay = new Relay(picture);
  using client = await relay.request(BY_QUERY);
  relay.feed(END_OF_SEARCH - 2 * TS);
  relay.parent!.ended(undefined);
  expect((await client.response()).body).toEqual(JPEG);
});

test("a client that leaves ends the conversion, and its stream", async () => {
  const { promise: endless } = Promise.withResolvers<undefined>();
  using relay = new Relay(() => endless);
  const client = await relay.request(BY_QUERY);
  relay.feed(MORE_THAN_A_FRAME);
  await until(() => relay.signal !== undefined, WAIT_MS, "the conversion");
  expect(relay.signal!.aborted).toBe(false);
  client.destroy();
  await until(() => relay.signal!.aborted && relay.server.hub.size === 0, WAIT_MS, "the end");
});

test.each([
  ["the query", BY_QUERY],
  ["a header", BY_HEADER],
] as const)("HEAD that asks for a picture by %s is answered as if it did not", async (_, how) => {
  const onOpen = (parent: UpstreamParent) => {
    parent.opened();
    parent.ended(undefined);
  };
  using relay = new Relay(picture, { onOpen, countsAsClient: false });
  using client = await relay.request(how, "HEAD");
  const { status, headers } = await client.head();
  expect([status, headers.get("content-type")]).toEqual([200, "video/mp2t"]);
  expect(headers.get("r2h-upstream-protocol")).toBe("multicast");
  expect([relay.asked, await client.readToEnd()]).toEqual([[], Buffer.alloc(0)]);
});

test("a plan of which no picture can be made is streamed", async () => {
  using relay = new Relay(picture, { canSnapshot: false });
  using client = await relay.request(BY_QUERY);
  relay.feed(UNIT);
  expect((await client.head()).headers.get("content-type")).toBe("video/mp2t");
  expect(relay.asked).toEqual([]);
});
