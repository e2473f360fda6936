import { expect, test } from "bun:test";
import type { RequestHandler } from "../../src/http/connection.ts";
import { type ConnectionLimits, ConnectionTable } from "../../src/http/connection-table.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { noise, TestServer } from "./serve.ts";

const WAIT_MS = 5000;
const STALLED_MS = 5000;
const ALL = Number.POSITIVE_INFINITY;

const stream: RequestHandler = (_, connection) => {
  connection.startStream({ status: 200, headers: [] }, { drained() {} });
  connection.write(Buffer.from("media"), 0, 5);
};

class LimitedServer extends TestServer {
  constructor(limits: ConnectionLimits, handler: RequestHandler = stream) {
    const lines: string[] = [];
    super(handler, { table: new ConnectionTable(limits, recordingLog(lines)) });
    this.reports = lines;
  }

  readonly reports: string[];

  /** A client that the server knows of; its `n`th connection. */
  async next(n: number): Promise<HttpClient> {
    const client = await this.connect();
    await until(() => this.listener.connections >= n, WAIT_MS, `connection ${n}`);
    return client;
  }

  async streaming(): Promise<HttpClient> {
    const client = await this.connect();
    client.request("GET", "/");
    expect((await client.head(WAIT_MS)).status).toBe(200);
    return client;
  }
}

const isClosed = (client: HttpClient) => until(() => client.state === "closed", WAIT_MS, "the client to be closed");

test("those that stream stay, and others are closed at once", async () => {
  using server = new LimitedServer({ total: 2, perAddress: ALL });
  const kept = [await server.streaming(), await server.streaming()];
  const refused = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
  await until(() => refused.every(({ state }) => state === "closed"), WAIT_MS, "the others to be closed");
  expect(server.reports).toEqual(["WARN Too many connections (limit 2): 1 refused"]);
  expect(kept.map(({ state }) => state)).toEqual(["open", "open"]);

  kept[0]!.destroy();
  await until(() => server.listener.connections === 1, WAIT_MS, "a free place");
  using _late = await server.streaming();
  kept[1]!.destroy();
});

test("the oldest without a request makes room", async () => {
  using server = new LimitedServer({ total: 3, perAddress: ALL });
  using first = await server.next(1);
  using second = await server.next(2);
  second.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nbody");
  using third = await server.streaming();
  using _fourth = await server.streaming();
  await isClosed(first);
  using _fifth = await server.streaming();
  await isClosed(second);
  expect(third.state).toBe("open");
  expect(server.listener.connections).toBe(3);
  expect(server.reports).toEqual(["WARN Too many connections (limit 3): 1 waiting ones closed for new ones"]);
});

test("one whose answer is delivered makes room, and gets it whole", async () => {
  using server = new LimitedServer({ total: 1, perAddress: ALL }, (_, connection) =>
    connection.respond({ status: 200, headers: [], body: "all of it" }),
  );
  using first = await server.connect();
  first.request("GET", "/");
  await until(() => first.state === "ended", WAIT_MS, "the answer");
  using second = await server.connect();
  second.request("GET", "/");
  expect((await second.response()).body.toString()).toBe("all of it");
  expect((await first.response()).body.toString()).toBe("all of it");
});

test(
  "one that takes nothing of its answer makes room after a while, the longest first",
  async () => {
    const body = noise(8_000_000);
    using server = new LimitedServer({ total: 2, perAddress: ALL }, (request, connection) => {
      if (request.target === "/") connection.respond({ status: 200, headers: [], body });
      else stream(request, connection);
    });
    const [stalled, reading] = [await server.connect(), await server.connect()];
    for (const client of [stalled, reading]) {
      client.pause();
      client.request("GET", "/");
    }
    await server.handled(2);
    using refused = await server.connect();
    await isClosed(refused);
    reading.readAtMost(200_000);
    await Bun.sleep(STALLED_MS + 500);
    using late = await server.connect();
    late.request("GET", "/stream");
    expect((await late.head(WAIT_MS)).status).toBe(200);
    expect(server.connections[0]!.isClosed).toBe(true);
    expect(server.connections[1]!.isClosed).toBe(false);
    for (const client of [stalled, reading]) client.destroy();
  },
  STALLED_MS * 4,
);

test("clients of this machine do not count by address", async () => {
  using server = new LimitedServer({ total: 9, perAddress: 1 });
  using _one = await server.streaming();
  using _two = await server.streaming();
});

/** What a table does with connections of these addresses; those in `busy` have asked for something. */
function admitted(limits: ConnectionLimits, addresses: readonly string[], busy: readonly number[] = []): string {
  const table = new ConnectionTable(limits, recordingLog([]));
  const names: string[] = [];
  const connections = addresses.map((address, i) => {
    const connection = { abort: () => names.push(`-${i}`) && table.remove(connection) };
    if (table.makeRoom(3, address)) {
      table.add(connection, 3, address);
      if (busy.includes(i)) table.entered(connection, "busy");
      names.push(`+${i}`);
    }
    return connection;
  });
  expect(connections).toHaveLength(addresses.length);
  return names.join(" ");
}

test.each<[what: string, addresses: string[], busy: number[], result: string]>([
  ["an address has its limit", ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2"], [0, 1], "+0 +1 +3"],
  ["one of the same address makes room", ["10.0.0.2", "10.0.0.1", "10.0.0.1", "10.0.0.1"], [], "+0 +1 +2 -1 +3"],
  ["IPv4 over IPv6 is IPv4", ["::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"], [0, 1], "+0 +1"],
  ["an IPv6 network is one", ["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:1:9::"], [0, 1, 2], "+0 +1 +2"],
  ["as it is here", ["2001:db8:0:1::1", "2001:db8:0:1:1:2:3:4", "2001:db8:0:1:9::"], [0, 1], "+0 +1"],
  [
    "loopback has none",
    ["127.0.0.1", "127.0.0.1", "::1", "::1", "::1", "::ffff:127.0.0.1"],
    [0, 1],
    "+0 +1 +2 +3 +4 +5",
  ],
])("%s", (_, addresses, busy, result) => {
  expect(admitted({ total: 99, perAddress: 2 }, addresses, busy)).toBe(result);
});
