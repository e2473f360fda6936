import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestHandler } from "../../src/http/connection.ts";
import { type ListenOptions, listen } from "../../src/http/listener.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { noise, TestServer } from "./serve.ts";

const echoPeer: RequestHandler = (_, connection) => {
  connection.respond({ status: 200, headers: [], body: connection.peer });
};

async function askPeer(address: Parameters<typeof HttpClient.connect>[0]): Promise<{ peer: string; port: number }> {
  using client = await HttpClient.connect(address);
  client.request("GET", "/");
  return { peer: (await client.response()).body.toString(), port: client.localPort };
}

describe("listening", () => {
  const options: ListenOptions = { hostname: "127.0.0.1", port: 0, log: recordingLog([]), handler: echoPeer };

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "[::1]"],
  ])("on %s names the client %s:port", async (hostname, name) => {
    using server = new TestServer(echoPeer, { hostname });
    expect(server.listener.hostname).toBe(hostname);
    const { peer, port } = await askPeer({ port: server.listener.port, host: hostname });
    expect(peer).toBe(`${name}:${port}`);
  });

  test("on :: includes IPv4, whose addresses look like it", async () => {
    using server = new TestServer(echoPeer, { hostname: "::" });
    const { peer, port } = await askPeer({ port: server.listener.port });
    expect(peer).toBe(`127.0.0.1:${port}`);
  });

  test("on :: alone leaves IPv4 to another socket on the same port", async () => {
    using v6 = new TestServer(echoPeer, { hostname: "::", ipv6Only: true });
    using v4 = new TestServer(echoPeer, { hostname: "0.0.0.0", port: v6.listener.port });
    expect(v4.listener.port).toBe(v6.listener.port);
    await askPeer({ port: v4.listener.port });
    expect(v4.requests).toHaveLength(1);
    await askPeer({ port: v4.listener.port, host: "::1" });
    expect(v6.requests).toHaveLength(1);
  });

  test("on a Unix socket names the client localhost", async () => {
    const directory = mkdtempSync(join(tmpdir(), "listener-"));
    try {
      const unix = join(directory, "socket");
      const listener = listen({ unix, log: options.log, handler: echoPeer });
      expect(listener).toMatchObject({ hostname: unix, port: 0 });
      expect((await askPeer({ unix })).peer).toBe("localhost");
      listener.stop();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("on an address in use names it and the reason", () => {
    using server = new TestServer(echoPeer);
    const { port } = server.listener;
    const attempt = () => listen({ ...options, port });
    expect(attempt).toThrow(`127.0.0.1 port ${port}: address already in use`);
    expect(attempt).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });

  test("on an address that is not ours", () => {
    expect(() => listen({ ...options, hostname: "192.0.2.1", port: 80 })).toThrow(
      "192.0.2.1 port 80: address not available",
    );
  });

  test("on an impossible port", () => {
    expect(() => listen({ ...options, port: 70_000 })).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }));
  });

  test("on a path that does not exist", () => {
    const { log, handler } = options;
    expect(() => listen({ unix: "/nonexistent/socket", log, handler })).toThrow("/nonexistent/socket: no such file");
  });
});

test("an adopted socket is served", async () => {
  const script = `
    import { listen } from ${JSON.stringify(join(import.meta.dir, "../../src/http/listener.ts"))};
    const log = { level: 0, fatal() {}, error() {}, warn() {}, info() {}, debug() {} };
    listen({ fd: 3, log, handler: (_, connection) => connection.respond({ status: 200, headers: [], body: "child" }) });`;
  const owner = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port, fd } = owner as typeof owner & { fd: number };
  const child = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "inherit", "inherit", fd] });
  try {
    owner.stop();
    expect((await askPeer({ port })).peer).toBe("child");
  } finally {
    child.kill();
    await child.exited;
  }
});

test("stop closes the socket and every connection at once, and may be repeated", async () => {
  const media = noise(8_000_000);
  let closes = 0;
  const server = new TestServer((request, connection) => {
    if (request.target === "/local") {
      connection.respond({ status: 200, headers: [], body: media });
      return;
    }
    connection.whenClosed(() => closes++);
    connection.startStream({ status: 200, headers: [] }, { drained() {} });
    connection.write(media, 0, 1000);
  });
  const clients = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
  const [streaming, local, asking] = clients as [HttpClient, HttpClient, HttpClient, HttpClient];
  streaming.request("GET", "/");
  local.pause();
  local.request("GET", "/local");
  asking.send("GET / HT");
  await server.handled(2);
  await until(() => server.listener.connections === 4, 5000, "the connections");

  server.listener.stop();
  server.listener.stop();
  expect(server.listener.connections).toBe(0);
  expect(closes).toBe(1);
  local.resume();
  await until(() => clients.every((client) => client.state === "closed"), 5000, "the clients to see it");
  expect(HttpClient.connect({ port: server.listener.port })).rejects.toThrow();
});
