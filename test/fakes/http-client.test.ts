/** The raw HTTP client reads heads and bodies in any chunking, stops reading for real, and ends as told. */

import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "./free-port.ts";
import { HttpClient } from "./http-client.ts";
import { until } from "./until.ts";

const WAIT_MS = 3000;
const RESPONSE = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhello";

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** Opens a connection and returns both of its ends. */
async function pair(unix?: string): Promise<{ client: HttpClient; peer: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(unix ?? { host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const accepted = once(server, "connection");
  const address = unix === undefined ? { port: (server.address() as AddressInfo).port } : { unix };
  const client = resources.use(await HttpClient.connect(address));
  const peer: Socket = (await accepted)[0];
  peer.on("error", () => {});
  resources.defer(() => {
    peer.destroy();
    server.close();
  });
  return { client, peer };
}

describe("responses", () => {
  test("head and body are taken one after the other on one connection", async () => {
    const { client, peer } = await pair();
    peer.write(RESPONSE + RESPONSE.replace("200 OK", "404 Not Found"));
    const first = await client.response();
    expect(first.head).toMatchObject({ version: "HTTP/1.1", status: 200, reason: "OK" });
    expect(first.head.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(first.body.toString()).toBe("hello");
    expect((await client.response()).head).toMatchObject({ status: 404, reason: "Not Found" });
    expect(client.buffered).toBe(0);
  });

  test("without a length the body goes to the end", async () => {
    const { client, peer } = await pair();
    peer.end("HTTP/1.0 200 OK\r\n\r\nall of it");
    const { head, body } = await client.response();
    expect([head.version, body.toString()]).toEqual(["HTTP/1.0", "all of it"]);
    expect(client.state).toBe("ended");
  });

  test("a split at every byte gives the same result", async () => {
    const { client, peer } = await pair();
    peer.setNoDelay(true);
    for (let at = 1; at < RESPONSE.length; at++) {
      peer.write(RESPONSE.slice(0, at));
      const already = client.bytesReceived;
      await until(() => client.bytesReceived > already || client.buffered >= at, WAIT_MS, "the first half");
      peer.write(RESPONSE.slice(at));
      const { head, body } = await client.response();
      expect([head.status, body.toString()]).toEqual([200, "hello"]);
    }
  });

  test("a stream gets what was buffered and what follows", async () => {
    const { client, peer } = await pair();
    peer.write(RESPONSE);
    await client.head();
    let text = "";
    client.stream((chunk) => {
      text += Buffer.from(chunk);
    });
    peer.write(" world");
    await until(() => text === "hello world", WAIT_MS, "the stream");
    expect(client.buffered).toBe(0);
  });
});

describe("failures say what was missing", () => {
  test("nothing comes", async () => {
    const { client } = await pair();
    await expect(client.head(20)).rejects.toThrow("timed out after 20 ms waiting for a response head");
    await expect(client.readToEnd(20)).rejects.toThrow("timed out after 20 ms waiting for the end of the connection");
  });

  test("the connection ends early", async () => {
    const { client, peer } = await pair();
    peer.end("HTTP/1.1 200");
    await expect(client.head()).rejects.toThrow("connection ended before a response head; 12 bytes buffered");
  });

  test("the connection is reset", async () => {
    const { client, peer } = await pair();
    const head = client.head();
    peer.resetAndDestroy();
    await expect(head).rejects.toThrow("connection closed (");
    await until(() => client.state === "closed", WAIT_MS, "the reset");
    expect(client.error?.message).toContain("ECONNRESET");
  });

  test("not HTTP", async () => {
    const { client, peer } = await pair();
    peer.write("SSH-2.0-OpenSSH\r\n\r\n");
    await expect(client.head()).rejects.toThrow("not a status line: SSH-2.0-OpenSSH");
  });

  test("nothing listens", async () => {
    const port = await freeTcpPort();
    await expect(HttpClient.connect({ port })).rejects.toThrow();
  });
});

describe("sending", () => {
  test("a request has a Host and the given headers", async () => {
    const { client, peer } = await pair();
    client.request("GET", "/rtp/239.0.0.1:5000", { "User-Agent": "x" });
    const [bytes] = await once(peer, "data");
    expect(String(bytes)).toBe("GET /rtp/239.0.0.1:5000 HTTP/1.1\r\nHost: test\r\nUser-Agent: x\r\n\r\n");
  });

  test("more than a socket holds arrives whole, then the FIN, and reading goes on", async () => {
    const { client, peer } = await pair();
    const length = 20_000_000;
    client.send(new Uint8Array(length));
    client.halfClose();
    let received = 0;
    peer.on("data", (chunk) => {
      received += chunk.length;
    });
    await once(peer, "end");
    expect(received).toBe(length);
    peer.end("still here");
    expect((await client.readToEnd()).toString()).toBe("still here");
  });

  test("close ends both directions, destroy resets", async () => {
    const polite = await pair();
    polite.peer.resume();
    polite.client.close();
    await once(polite.peer, "end");
    const rude = await pair();
    const error = once(rude.peer, "error");
    rude.peer.resume();
    rude.client.destroy();
    expect((await error)[0].code).toBe("ECONNRESET");
    expect([polite.client.state, rude.client.state]).toEqual(["closed", "closed"]);
  });

  test("a Unix socket works too", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-client-"));
    resources.defer(() => rmSync(directory, { recursive: true }));
    const { client, peer } = await pair(join(directory, "http.sock"));
    peer.write(RESPONSE);
    expect((await client.response()).body.toString()).toBe("hello");
  });
});

describe("reading", () => {
  /** Writes until the kernel takes no more, and returns how much that was. */
  async function fill(peer: Socket, limit: number): Promise<number> {
    const block = new Uint8Array(65_536);
    let written = 0;
    while (written < limit && peer.write(block)) written += block.length;
    return written;
  }

  test("a paused client receives nothing and blocks the server until it resumes", async () => {
    const { client, peer } = await pair();
    client.stream(() => {});
    client.pause();
    const written = await fill(peer, 64_000_000);
    expect(written).toBeLessThan(64_000_000);
    expect(client.bytesReceived).toBe(0);
    const drained = once(peer, "drain");
    client.resume();
    await drained;
    await until(() => client.bytesReceived > written, WAIT_MS, "the rest");
  });

  test("a slow reader keeps to its rate", async () => {
    const { client, peer } = await pair();
    const sink: number[] = [];
    client.stream((chunk) => sink.push(chunk.length));
    client.readAtMost(10_000_000);
    const started = performance.now();
    peer.write(new Uint8Array(3_000_000));
    await until(() => client.bytesReceived === 3_000_000, WAIT_MS, "3 MB");
    const seconds = (performance.now() - started) / 1000;
    const beforeLastPause = 3_000_000 - sink.at(-1)!;
    expect(beforeLastPause / seconds).toBeLessThan(10_100_000);
    expect(sink.length).toBeGreaterThan(2);
  });
});
