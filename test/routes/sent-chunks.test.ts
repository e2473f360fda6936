import { expect, test } from "bun:test";
import { emitHead, type StreamHead } from "../../src/http/response.ts";
import { guideRoute } from "../../src/routes/guide.ts";
import { makeRoomForChunks, sendChunks } from "../../src/routes/sent-chunks.ts";
import { until } from "../fakes/until.ts";
import { noise, TestServer } from "../http/serve.ts";
import { serveRoute } from "./serve-route.ts";

const WAIT_MS = 5000;
const CHUNK = noise(256 * 1024);
const CHUNKS = 128;
const HEAD: StreamHead = { status: 200, headers: [] };

/** Counts what is asked for, and remembers that nobody asks any more. */
class Source {
  asked = 0;
  isClosed = false;

  async *chunks(count = CHUNKS) {
    try {
      for (; this.asked < count; ) {
        this.asked++;
        yield CHUNK;
      }
    } finally {
      this.isClosed = true;
    }
  }
}

test("all of it arrives, and no more is read than the client takes", async () => {
  const source = new Source();
  using server = new TestServer((_, connection) => void sendChunks(connection, HEAD, source.chunks()));
  using client = await server.connect();
  client.request("GET", "/");
  await client.head(WAIT_MS);
  client.pause();
  let before = -1;
  let looks = 0;
  const isStill = () => {
    looks = source.asked === before ? looks + 1 : 0;
    before = source.asked;
    return looks > 20;
  };
  await until(isStill, WAIT_MS, "the server to stop reading");
  expect(source.asked).toBeLessThan(CHUNKS);
  client.resume();
  const body = await client.readToEnd(WAIT_MS);
  expect(body.length).toBe(CHUNK.length * CHUNKS);
  expect(body.subarray(-CHUNK.length).equals(CHUNK)).toBe(true);
  expect(source.isClosed).toBe(true);
});

test("nothing at all is an answer too", async () => {
  using server = new TestServer((_, connection) => void sendChunks(connection, HEAD, new Source().chunks(0)));
  using client = await server.connect();
  client.request("GET", "/");
  expect((await client.readToEnd(WAIT_MS)).toString("latin1")).toBe(emitHead(HEAD, []).toString("latin1"));
});

test.each(["leaves", "takes nothing for too long"])("a client that %s ends the reading", async (what) => {
  const source = new Source();
  const stallMs = what === "leaves" ? 60_000 : 100;
  using server = new TestServer((_, connection) => void sendChunks(connection, HEAD, source.chunks(), stallMs));
  using client = await server.connect();
  client.request("GET", "/");
  await client.head(WAIT_MS);
  client.pause();
  if (what === "leaves") client.destroy();
  await until(() => source.isClosed, WAIT_MS, "the end of the reading");
  await server.idle();
});

test("chunks that fail cut the client off", async () => {
  // biome-ignore lint/correctness/useYield: it fails before it has anything.
  async function* failing(): AsyncGenerator<Uint8Array> {
    throw new Error("gone");
  }
  using server = new TestServer((_, connection) => void sendChunks(connection, HEAD, failing()));
  using client = await server.connect();
  client.request("GET", "/");
  await until(() => client.state === "closed", WAIT_MS, "the end");
  expect(client.bytesReceived).toBe(0);
});

test("a head that cannot be made cuts the client off", async () => {
  const head: StreamHead = {
    status: 200,
    get headers(): never {
      throw new Error("no head");
    },
  };
  using server = new TestServer((_, connection) => void sendChunks(connection, head, new Source().chunks(1)));
  using client = await server.connect();
  client.request("GET", "/");
  await until(() => client.state === "closed", WAIT_MS, "the end");
  expect(client.bytesReceived).toBe(0);
});

const MAX_CLIENTS = 64;
const STALLED_MS = 5000;

test(
  "there is room for so many, and that of one that takes nothing is given away",
  async () => {
    const rooms: boolean[] = [];
    using server = new TestServer((_, connection) => {
      rooms.push(makeRoomForChunks());
      void sendChunks(connection, HEAD, new Source().chunks());
    });
    using resources = new DisposableStack();
    for (let i = 0; i < MAX_CLIENTS; i++) {
      const client = resources.use(await server.connect());
      client.pause();
      client.request("GET", "/");
    }
    await server.handled(MAX_CLIENTS);
    expect(rooms).toEqual(Array(MAX_CLIENTS).fill(true));
    expect(makeRoomForChunks()).toBe(false);
    const guide = { open: () => ({ etag: '"e"', bytes: 0, chunks: new Source().chunks(0) }) };
    using guides = serveRoute(guideRoute(guide));
    using late = await guides.connect();
    late.request("GET", "/epg.xml");
    const { status, headers } = await late.head(WAIT_MS);
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    await until(() => makeRoomForChunks(), 3 * STALLED_MS, "one to be given up");
    expect(server.connections.filter(({ isClosed }) => isClosed)).toHaveLength(1);
    for (const connection of server.connections) connection.abort();
    await until(() => makeRoomForChunks(), WAIT_MS, "the places of those that are gone");
  },
  5 * STALLED_MS,
);
