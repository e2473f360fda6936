/** What a client of the media route is answered, whatever becomes of its upstream. */

import { afterEach, expect, test } from "bun:test";
import { UpstreamError } from "../../src/relay/upstream.ts";
import { allocate } from "../../src/system/memory.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import { until } from "../fakes/until.ts";
import { FakeUpstream } from "../fakes/upstream.ts";
import { noise } from "../http/serve.ts";
import { fakeProtocol, MediaServer } from "./media-server.ts";

const WAIT_MS = 5000;
const UNIT = 1316;
const media = allocate(64 * 1024);
media.bytes.set(noise(64 * 1024));

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** A client of an upstream that the test plays. */
async function playing(target = "/fake/channel", settings = {}) {
  const upstream = new FakeUpstream();
  upstream.tickMs = 2;
  const urls: string[] = [];
  const make = (url: string) => {
    urls.push(url);
    return upstream;
  };
  const relay = resources.use(new MediaServer({ protocols: [fakeProtocol(make)], settings }));
  const client = resources.use(await relay.request(target));
  await until(() => upstream.parent !== undefined, WAIT_MS, "the upstream to be opened");
  return { upstream, relay, client, urls };
}

test.each([
  ["has a status", new UpstreamError("no-film", "no such film", 404), 404],
  ["has none", new Error("fault"), 503],
  ["is none", undefined, 503],
])("the end before the first byte is an answer when its cause %s", async (_, cause, status) => {
  const { upstream, relay, client } = await playing();
  const [entry] = relay.clients.report(performance.now()).clients;
  expect(entry).toMatchObject({ state: CLIENT_STATE.connecting, upstream: "fake" });
  upstream.parent.ended(cause);
  expect((await client.head(WAIT_MS)).status).toBe(status);
  client.close();
  await relay.idle();
  expect(upstream.closes).toBe(1);
});

test("the end after it comes behind all bytes, and nothing is left", async () => {
  const { upstream, relay, client } = await playing();
  upstream.parent.append(media, 0, UNIT);
  upstream.parent.append(media, UNIT, UNIT);
  upstream.parent.ended(new Error("fault"));
  const [entry] = relay.clients.report(performance.now()).clients;
  expect(entry?.state).toBe(CLIENT_STATE.error);
  expect((await client.head(WAIT_MS)).status).toBe(200);
  expect((await client.readToEnd(WAIT_MS)).equals(media.bytes.subarray(0, 2 * UNIT))).toBe(true);
  client.close();
  await relay.idle();
});

test("the head goes out with the first bytes, and says what is known by then", async () => {
  const { upstream, relay, client } = await playing();
  upstream.info = { metadata: [["X-Known", "now"]] };
  upstream.parent.append(media, 0, UNIT);
  const head = await client.head(WAIT_MS);
  expect(head.raw).toBe("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\nX-Known: now\r\n\r\n");
  expect(await client.read(UNIT, WAIT_MS)).toEqual(Buffer.from(media.bytes.subarray(0, UNIT)));
  client.close();
  await relay.idle();
});

test("its URL is that of the path, with all that the query has but the token", async () => {
  const { urls } = await playing("/fake/a/b?x=1&r2h-token=secret&y=2", { r2hToken: "secret" });
  expect(urls).toEqual(["fake://a/b?x=1&y=2"]);
});

test("a client that reads too slowly is told of in the log, and loses whole units only", async () => {
  const { upstream, relay, client } = await playing("/fake/channel", { bufferPoolMaxSize: 400 });
  client.pause();
  upstream.onTick = () => {
    for (let i = 0; i < 40; i++) upstream.parent.append(media, 0, UNIT);
  };
  const isTold = () =>
    relay.complaints.some((line) => /reads too slowly: \d+ packets \(\d+ bytes\) dropped/.test(line));
  await until(isTold, 2 * WAIT_MS, "drops");
  upstream.parent.ended(undefined);
  client.resume();
  await client.head(WAIT_MS);
  const bytes = await client.readToEnd(2 * WAIT_MS);
  expect(bytes.length % UNIT).toBe(0);
  for (let at = 0; at < bytes.length; at += UNIT) {
    if (Buffer.compare(bytes.subarray(at, at + UNIT), media.bytes.subarray(0, UNIT)) !== 0) {
      throw new Error(`a unit is damaged at ${at} of ${bytes.length}`);
    }
  }
  client.close();
  await relay.idle();
});
