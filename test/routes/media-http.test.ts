/** HTTP upstream, stream and HTTP client tied together by the media route, over real sockets. */

import { afterEach, describe, expect, test } from "bun:test";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import { HttpOrigin, type OriginScript } from "../fakes/http-origin.ts";
import { OWN_REACH } from "../fakes/reach.ts";
import { until } from "../fakes/until.ts";
import { noise } from "../http/serve.ts";
import { MediaServer, type MediaServerOptions } from "./media-server.ts";

const WAIT_MS = 5000;
/** More than all kernel buffers on the way hold. */
const MEDIA = noise(48 * 1024 * 1024);
const LONG_HOST = { Host: "h".repeat(240) };
const HEAD = Buffer.from("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n");

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

function relayOf(script: OriginScript, options: MediaServerOptions = {}) {
  const origin = resources.use(new HttpOrigin(script));
  const relay = resources.use(new MediaServer(options));
  const ask = async (path = "/x", method = "GET", headers = {}) =>
    resources.use(await relay.request(`/http/127.0.0.1:${origin.port}${path}`, method, headers));
  return { origin, relay, ask };
}

/** A relay between an origin that sends media and a client that does not read them. */
async function stalled() {
  const { origin, relay, ask } = relayOf((to) => to.send(Buffer.concat([HEAD, MEDIA])));
  const client = await ask();
  await client.head(WAIT_MS);
  client.pause();
  const connection = await relay.server.handled();
  await until(() => connection.anyUpstreamPaused, WAIT_MS, "a pause");
  return { relay, client, connection, server: await origin.connection() };
}

describe("a body", () => {
  test("that is given up while paused leaves nothing: no tick, no memory, no place", async () => {
    const { relay, connection, server } = await stalled();
    expect([relay.hub.tick.isRunning, relay.hub.budget.streams, relay.clientLimit.count]).toEqual([true, 1, 1]);
    connection.abort();
    const { hub, clientLimit } = relay;
    expect([hub.tick.isRunning, hub.size, hub.budget.usedBytes, hub.budget.streams]).toEqual([false, 0, 0, 0]);
    expect(clientLimit.count).toBe(0);
    // The client's drain comes all the same.
    connection.drained();
    connection.writable();
    expect([hub.tick.isRunning, hub.budget.usedBytes]).toEqual([false, 0]);
    await until(() => server.state !== "open", WAIT_MS, "the origin to see it");
  });

  test("whose client resets the connection while paused leaves nothing either", async () => {
    const { relay, client } = await stalled();
    client.destroy();
    await relay.idle();
  });

  test("that ends while paused reaches the client whole, and then all is closed", async () => {
    const { client, connection, relay, server } = await stalled();
    server.end();
    client.resume();
    const received = await client.readToEnd(2 * WAIT_MS);
    expect(Buffer.compare(received, MEDIA)).toBe(0);
    client.close();
    await relay.idle();
    expect(connection.anyUpstreamPaused).toBe(false);
    await until(() => server.state === "closed", WAIT_MS, "the origin's connection to be closed");
    expect(relay.complaints).toEqual([]);
  });

  test("reaches a client that has paused, whole", async () => {
    const { client, server, relay } = await stalled();
    await server.stopped();
    const [report] = relay.clients.report(performance.now()).clients;
    expect(report).toMatchObject({ state: CLIENT_STATE.httpStreaming, upstream: "http", droppedPackets: 0 });
    expect(report!.backpressureEvents).toBeGreaterThan(0);
    expect(report!.queueBytes).toBeGreaterThan(0);
    client.resume();
    const received = await client.read(MEDIA.length, 2 * WAIT_MS);
    expect(Buffer.compare(received, MEDIA)).toBe(0);
  });
});

describe("an answer's head", () => {
  test("goes out at once, whatever the body does", async () => {
    const { relay, ask } = relayOf((to) => to.send(HEAD));
    const client = await ask();
    const head = await client.head(WAIT_MS);
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "video/mp2t"]);
    expect(client.buffered).toBe(0);
    client.close();
    await relay.idle();
  });

  test("is the server's own, with what stands in every answer", async () => {
    const settings = { corsAllowOrigin: "*" };
    const script: OriginScript = async (to) => {
      await to.head();
      to.send("HTTP/1.1 404 Nowhere\r\nX-Own: 1\r\nContent-Length: 4\r\n\r\ngone");
    };
    const { ask } = relayOf(script, { settings });
    const { head, body } = await (await ask()).response(WAIT_MS);
    expect([head.status, head.reason, head.headers.get("x-own"), body.toString()]).toEqual([
      404,
      "Nowhere",
      "1",
      "gone",
    ]);
    expect(head.headers.get("access-control-allow-origin")).toBe("*");
    expect(head.raw.match(/^Connection: close\r$/gim)).toHaveLength(1);
  });

  test("is all that HEAD gets", async () => {
    const { origin, relay, ask } = relayOf((to) => to.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    const client = await ask("/x", "HEAD");
    expect((await client.head(WAIT_MS)).headers.get("content-length")).toBe("1000");
    expect(await client.readToEnd(WAIT_MS)).toBeEmpty();
    client.close();
    await relay.idle();
    expect(await (await origin.connection()).head()).toStartWith("HEAD /x HTTP/1.1\r\n");
  });

  test("of a playlist has the length of what its links have become", async () => {
    const playlist = "#EXTM3U\n#EXTINF:1,\nhttp://cdn.example/1.ts\n";
    const script: OriginScript = (to) => {
      to.send(
        `HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nContent-Length: 999\r\n\r\n${playlist}`,
      );
      to.end();
    };
    const { relay, ask } = relayOf(script, { settings: { useRelativePathInM3u: false } });
    const { head, body } = await (await ask("/x.m3u8")).response(WAIT_MS);
    expect(body.toString()).toBe(playlist.replace("http://cdn", "http://test/http/cdn"));
    expect(head.headers.get("content-length")).toBe(String(body.length));
    await relay.idle();
  });
});

test("rewritten playlists that nobody reads have a limit for all of them, and are then 503", async () => {
  // Some 15 MB when it is rewritten; there is room for 64 MiB.
  const playlist = "a\n".repeat(56_000);
  const { ask } = relayOf(
    (to) => {
      to.send(`HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\n\r\n${playlist}`);
      to.end();
    },
    { settings: { useRelativePathInM3u: false, maxClients: 9 } },
  );
  const first = await ask("/x.m3u8", "GET", LONG_HOST);
  const statuses = [(await first.head(WAIT_MS)).status];
  first.pause();
  for (let i = 0; i < 4; i++) {
    const client = await ask("/x.m3u8", "GET", LONG_HOST);
    const { status, headers } = await client.head(WAIT_MS);
    client.pause();
    statuses.push(status);
    if (status === 503) expect(headers.get("retry-after")).toBe("5");
  }
  expect(statuses).toEqual([200, 200, 200, 200, 503]);
  first.destroy();
  await until(
    async () => (await (await ask("/x.m3u8", "GET", LONG_HOST)).head(WAIT_MS)).status === 200,
    WAIT_MS,
    "room",
  );
});

describe("without an answer", () => {
  test("the client is answered 503, and the place is free again", async () => {
    const { relay, ask } = relayOf((to) => to.reset());
    const client = await ask();
    expect((await client.head(WAIT_MS)).status).toBe(503);
    expect(relay.complaints).toHaveLength(1);
    client.close();
    await relay.idle();
  });

  test("but a way back to ourselves, it is 508", async () => {
    const { relay, ask } = relayOf(() => {}, { reach: OWN_REACH });
    expect((await (await ask()).head(WAIT_MS)).status).toBe(508);
    expect(relay.complaints).toEqual([expect.stringContaining("leads back to this relay")]);
  });

  test("a URL that leads nowhere is refused before anybody takes a place", async () => {
    const { relay } = relayOf(() => {}, { settings: { maxClients: 1 } });
    for (const [target, status] of [
      ["/http/", 404],
      ["/http/:80/x", 404],
      ["/http/bad%20host/x", 503],
      ["/nothing/x", 404],
    ] as const) {
      using client = await relay.request(target);
      expect((await client.head(WAIT_MS)).status).toBe(status);
    }
    expect([relay.clientLimit.count, relay.hub.size]).toEqual([0, 0]);
  });

  test("a client that leaves while one is awaited leaves nothing", async () => {
    const { origin, relay, ask } = relayOf(() => {});
    const client = await ask();
    const server = await origin.connection();
    await server.head();
    client.destroy();
    await relay.idle();
    await until(() => server.state !== "open", WAIT_MS, "the origin to see it");
    expect(relay.complaints).toEqual([]);
  });
});

test("a client beyond the limit is told so, and opens nothing", async () => {
  const { origin, relay, ask } = relayOf((to) => to.send(Buffer.concat([HEAD, MEDIA])), {
    settings: { maxClients: 1 },
  });
  const first = await ask();
  await first.head(WAIT_MS);
  expect((await (await ask()).head(WAIT_MS)).status).toBe(503);
  expect([relay.hub.size, origin.connections.length]).toEqual([1, 1]);
  expect(relay.complaints).toEqual(["WARN Maximum client limit reached"]);
  first.close();
  await relay.idle();
  expect((await (await ask()).head(WAIT_MS)).status).toBe(200);
});

test("a part of a foreign page asks no server, unless it has leave", async () => {
  const image = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" };
  const refused = relayOf((to) => to.send(HEAD));
  expect((await (await refused.ask("/x", "GET", image)).head(WAIT_MS)).status).toBe(403);
  expect([refused.relay.hub.size, refused.relay.clientLimit.count]).toEqual([0, 0]);
  expect(refused.relay.complaints).toEqual([
    expect.stringContaining("media for a page of another site refused: --cors-allow-origin gives leave"),
  ]);
  const allowed = relayOf((to) => to.send(HEAD), { settings: { corsAllowOrigin: "*" } });
  expect((await (await allowed.ask("/x", "GET", image)).head(WAIT_MS)).status).toBe(200);
});
