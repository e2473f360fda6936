/** Session, pipe and connection of a proxied body tied together, over real sockets. */

import { afterEach, expect, test } from "bun:test";
import type { Connection } from "../../src/http/connection.ts";
import { Hub } from "../../src/relay/hub.ts";
import { ProxiedBody } from "../../src/routes/proxied-body.ts";
import { HttpSession } from "../../src/upstream/http/session.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { until } from "../fakes/until.ts";
import { collectingLog, noise, TestServer } from "../http/serve.ts";

const WAIT_MS = 5000;
/** More than all kernel buffers on the way hold. */
const MEDIA = noise(48 * 1024 * 1024);
const HEAD = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** A relay between an origin that sends media and a client that does not read them. */
async function stalled() {
  const origin = resources.use(new HttpOrigin((to) => to.send(Buffer.concat([HEAD, MEDIA]))));
  const hub = new Hub({ bufferSlots: 16_384, fastStart: false });
  const found = Promise.withResolvers<{ body: ProxiedBody; session: HttpSession; connection: Connection }>();
  const server = resources.use(
    new TestServer((_, connection) => {
      const url = { scheme: "http", host: "127.0.0.1", port: origin.port, path: "/" } as const;
      const request = { url, method: "GET", head: HEAD, body: new Uint8Array(0), isOurselves: () => false };
      let body: ProxiedBody | undefined;
      const parent = {
        responded: () => {
          connection.startStream(HEAD);
          body = new ProxiedBody(connection, session, { kind: "until-close" }, hub);
          body.start();
          found.resolve({ body, session, connection });
        },
        readable: () => body?.readable(),
        failed: found.reject,
      };
      const session: HttpSession = new HttpSession(request, parent, collectingLog([]));
    }),
  );
  const client = resources.use(await HttpClient.connect({ port: server.listener.port }));
  client.pause();
  client.request("GET", "/");
  const parts = await found.promise;
  resources.defer(() => parts.session.close());
  await until(() => parts.connection.anyUpstreamPaused, WAIT_MS, "a pause");
  return { ...parts, hub, client, server: await origin.connection() };
}

test("a body that is given up while paused leaves nothing: no bit, no heartbeat, no memory", async () => {
  const { body, connection, hub } = await stalled();
  expect([hub.tick.isRunning, hub.budget.pipes]).toEqual([true, 1]);
  body.close();
  expect([connection.anyUpstreamPaused, hub.tick.isRunning]).toEqual([false, false]);
  expect([hub.budget.pipes, hub.budget.usedBytes]).toEqual([0, 0]);
  // The client's drain comes all the same.
  connection.drained();
  expect(connection.anyUpstreamPaused).toBe(false);
  body.close();
});

test("a body that ends while paused reaches the client whole, and then all is closed", async () => {
  const { client, connection, hub, server } = await stalled();
  server.end();
  client.resume();
  const received = await client.readToEnd(2 * WAIT_MS);
  expect(Buffer.compare(received.subarray(HEAD.length), MEDIA)).toBe(0);
  expect([connection.anyUpstreamPaused, hub.tick.isRunning, hub.budget.usedBytes]).toEqual([false, false, 0]);
  await until(() => server.state === "closed", WAIT_MS, "the origin's connection to be closed");
});

test("a drain before there is any upstream does nothing", async () => {
  const server = resources.use(new TestServer(() => {}));
  const client = resources.use(await server.connect());
  client.request("GET", "/");
  const connection = await server.handled();
  connection.anyUpstreamPaused = true;
  connection.drained();
  connection.startStream(HEAD);
  connection.drained();
  expect(connection.isClosed).toBe(false);
});
