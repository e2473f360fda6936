import { expect, test } from "bun:test";
import { statusEventsRoute } from "../../src/routes/status-events.ts";
import { StatusFeed } from "../../src/status/feed.ts";
import { LogRing } from "../../src/status/log-ring.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { snapshotWith } from "../fakes/snapshot.ts";
import { until } from "../fakes/until.ts";
import { serveRoute } from "./serve-route.ts";

const WAIT_MS = 5000;
const HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n";

/** A feed with events of `bytes` bytes and a little, numbered from 1. */
class Publisher {
  readonly feed = new StatusFeed();
  readonly ring = new LogRing();
  readonly watched: boolean[] = [];
  published = 0;
  #cursor = 0;

  constructor() {
    this.feed.onWatched = (isWatched) => this.watched.push(isWatched);
  }

  publish(bytes = 1): void {
    const number = ++this.published;
    this.ring.append({ level: 3, time: 0, text: `${number}` });
    const reading = this.ring.read(this.#cursor);
    this.#cursor = reading.cursor;
    this.feed.publish(snapshotWith({ uptimeMs: number, version: "x".repeat(bytes) }), reading);
  }
}

interface Event {
  /** Its number. */
  readonly uptimeMs: number;
  readonly logsMode: string;
  readonly logs: readonly { readonly message: string }[];
}

/** Collects the events that a client gets. */
function eventsOf(client: HttpClient): Event[] {
  const events: Event[] = [];
  let rest = "";
  client.stream((chunk) => {
    const parts = (rest + Buffer.from(chunk)).split("\n\n");
    rest = parts.pop()!;
    for (const part of parts) {
      expect(part).toStartWith("data: {");
      events.push(JSON.parse(part.slice("data: ".length)));
    }
  });
  return events;
}

test("each event is sent to all who watch, and the next is made when somebody watches", async () => {
  const publisher = new Publisher();
  using server = serveRoute(statusEventsRoute(publisher.feed, "/status"));
  using first = await server.connect();
  first.request("GET", "/status/sse");
  await server.handled(1);
  expect(publisher.watched).toEqual([true]);
  publisher.publish();
  expect((await first.head()).raw).toBe(HEAD);
  const events = eventsOf(first);
  await until(() => events.length === 1, WAIT_MS, "an event");

  using second = await server.connect();
  second.request("POST", "/status/sse/");
  await second.head();
  const others = eventsOf(second);
  await until(() => others.length === 1, WAIT_MS, "what is there already");
  publisher.publish();
  await until(() => events.length === 2 && others.length === 2, WAIT_MS, "an event for both");
  expect(events.map(({ uptimeMs, logsMode }) => [uptimeMs, logsMode])).toEqual([
    [1, "full"],
    [2, "incremental"],
  ]);
  expect(others).toEqual(events);

  first.halfClose();
  second.destroy();
  await server.idle();
  expect(publisher.watched).toEqual([true, false]);
});

test("HEAD gets the headers, with those that stand in every answer", async () => {
  const publisher = new Publisher();
  using server = serveRoute(statusEventsRoute(publisher.feed, "/"), { corsAllowOrigin: "*", r2hToken: "t" });
  using client = await server.connect();
  client.request("HEAD", "/sse?r2h-token=t");
  const { head, body } = await client.response();
  expect(body).toHaveLength(0);
  expect(head.raw).toContain("Content-Type: text/event-stream\r\n");
  expect(head.raw).toContain("Connection: keep-alive\r\nSet-Cookie: r2h-token=t;");
  expect(head.raw).toContain("Access-Control-Allow-Origin: *\r\n");
  expect(publisher.watched).toEqual([]);
});

test("who does not read costs no memory, misses events, and gets the log lines of those with the next one", async () => {
  const publisher = new Publisher();
  using server = serveRoute(statusEventsRoute(publisher.feed, "/status"));
  using client = await server.connect();
  client.request("GET", "/status/sse");
  await server.handled(1);
  publisher.publish();
  await client.head();
  client.pause();
  const bytes = 1024 * 1024;
  const before = server.connections[0]!.sentBytes;
  for (let i = 0; i < 60; i++) publisher.publish(bytes);
  // What the kernel takes: a few of them.
  expect(server.connections[0]!.sentBytes - before).toBeLessThan(20 * bytes);
  const events = eventsOf(client);
  client.resume();
  await until(() => events.at(-1)?.uptimeMs === 61, WAIT_MS, "the newest event");
  expect(events.length).toBeLessThan(30);
  const lines = events.flatMap(({ logs }) => logs.map(({ message }) => Number(message)));
  expect(lines).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
});

test("1100 readers that do not read keep nobody out", async () => {
  const publisher = new Publisher();
  using server = serveRoute(statusEventsRoute(publisher.feed, "/status"));
  using resources = new DisposableStack();
  for (let i = 0; i < 1100; i++) {
    const client = resources.use(await server.connect());
    client.request("GET", "/status/sse");
  }
  await server.handled(1100);
  await until(() => server.listener.connections === 100, WAIT_MS, "those of before to be closed");
  publisher.publish();
  using late = await server.connect();
  late.request("GET", "/status/sse");
  expect((await late.head()).status).toBe(200);
  expect(server.listener.connections).toBe(100);
});
