/** Which upstreams the HTTP proxy talks to: slow trickles, ourselves, nobody, and those that must prove who they are. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient, type HttpServerAddress } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
/** How late an event may be on a busy machine; and most are not, or they would wait for the next. */
const LATE_MAX_MS = 3000;
const USUALLY_LATE_MAX_MS = 100;
const EVENTS = 7;
const EVENT_INTERVAL_MS = 150;
/** Longer than the program's own limit of 3 s, which a machine without a resolver needs. */
const RESOLVE_MS = 20_000;
const STALL_MS = 500;
const LARGE_BYTES = 16 * 1024 * 1024;
/** The most that a request may carry. */
const UPLOAD_BYTES = 4 * 1024 * 1024;
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

/** @param late by how much each event was late, in ms */
function expectPrompt(late: readonly number[]): void {
  const sorted = late.toSorted((a, b) => a - b);
  expect(sorted[EVENTS >> 1]).toBeLessThan(USUALLY_LATE_MAX_MS);
  expect(sorted.at(-1)).toBeLessThan(LATE_MAX_MS);
}

async function statusOf(server: HttpServerAddress, target: string, ms = WAIT_MS): Promise<number> {
  using client = await HttpClient.connect(server);
  client.request("GET", target);
  const { status } = await client.head(ms);
  await client.readToEnd(ms);
  return status;
}

forEachVariant("upstreams of the proxy", (start) => {
  let sluice: Sluice;
  let files: number;
  beforeAll(async () => {
    sluice = await start();
    files = await sluice.fds();
  });

  test.concurrent.each(["", "Transfer-Encoding: chunked\r\n"])("an event arrives at once (%j)", async (header) => {
    const sentAt: number[] = [];
    const arrivedAt: number[] = [];
    const event = () => `7\r\ndata ${sentAt.length}\r\n`;
    using origin = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: async (socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${header}\r\n`);
          while (sentAt.length < EVENTS) {
            await Bun.sleep(EVENT_INTERVAL_MS);
            sentAt.push(performance.now());
            socket.write(event());
          }
        },
      },
    });
    using client = await HttpClient.connect(sluice);
    client.request("GET", `/http/127.0.0.1:${origin.port}/events`);
    await client.head();
    expect(sentAt).toEqual([]);
    client.stream((chunk) => {
      // Two events at once would mean that the first was late.
      if (chunk.length === event().length) arrivedAt.push(performance.now());
    });
    await until(() => arrivedAt.length === EVENTS, WAIT_MS, "all events");
    expectPrompt(arrivedAt.map((at, i) => at - sentAt[i]!));
  });

  test("508 for whatever leads back to the relay", async () => {
    const hosts = ["127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]"];
    for (const host of [...hosts, ...(HAS_IPV6 ? ["[::1]"] : [])]) {
      const target = `/http/${host}:${sluice.port}/`;
      expect([target, await statusOf(sluice, target)]).toEqual([target, 508]);
    }
    expect(await statusOf(sluice, `/http/127.0.0.1:${sluice.port}/http/127.0.0.1:${sluice.port}/`)).toBe(508);
    expect(await statusOf(sluice, `/https/localhost:${sluice.port}/`)).toBe(508);
    await until(async () => (await sluice.fds()) <= files, WAIT_MS, `at most ${files} open files`);
  });

  test.skipIf(!HAS_IPV6)("508 where the relay listens on ::1", async () => {
    const port = await freeTcpPort();
    await using other = await start({ listen: `[::1]:${port}` });
    expect(await statusOf({ host: "::1", port }, `/http/[::1]:${port}/`)).toBe(508);
    expect(await statusOf({ host: "::1", port }, `/http/[0:0::0:1]:${port}/x`)).toBe(508);
    expect(other.port).not.toBe(port);
  });

  test(
    "503 for one that is not there",
    async () => {
      expect(await statusOf(sluice, `/http/127.0.0.1:${await freeTcpPort()}/`)).toBe(503);
      expect(await statusOf(sluice, `/https/127.0.0.1:${await freeTcpPort()}/`)).toBe(503);
      expect(await statusOf(sluice, "/http/no-such-host.invalid/", RESOLVE_MS)).toBe(503);
      await sluice.waitForLog(/http:\/\/no-such-host\.invalid:80: /);
      await until(async () => (await sluice.fds()) <= files, WAIT_MS, `at most ${files} open files`);
    },
    3 * RESOLVE_MS,
  );
});

/** Makes a key and a certificate that it has signed itself, for the name `localhost` only. */
function makeCertificate(directory: string) {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", key, "-out", cert];
  const { success, stderr } = Bun.spawnSync(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files],
    { timeout: WAIT_MS },
  );
  if (!success) throw new Error(`openssl: ${stderr}`);
  return { key, cert };
}

/** The time at which each was sent, one a line. */
function events(): ReadableStream {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(EVENT_INTERVAL_MS);
      controller.enqueue(encoder.encode(`${performance.now()}\n`));
      if (++sent === EVENTS) controller.close();
    },
  });
}

forEachVariant("the certificate of an https upstream", (start) => {
  let directory: string;
  let files: { key: string; cert: string };
  let origin: Bun.Server<undefined>;
  const body = Buffer.alloc(
    LARGE_BYTES,
    Uint8Array.from({ length: 65_521 }, (_, i) => (i * 31) >> 3),
  );

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    files = makeCertificate(directory);
    origin = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { key: Bun.file(files.key), cert: Bun.file(files.cert) },
      fetch: async (request) => {
        if (request.url.endsWith("/events")) return new Response(events());
        if (request.method === "POST") return new Response(Bun.sha(await request.bytes(), "hex"));
        return new Response(body, { headers: { "X-Asked": request.url } });
      },
    });
  });
  afterAll(async () => {
    await origin.stop(true);
    await rm(directory, { recursive: true, force: true });
  });

  test("is refused when nobody vouches for it", async () => {
    await using sluice = await start();
    expect(await statusOf(sluice, `/https/localhost:${origin.port}/x`)).toBe(503);
    await sluice.waitForLog(new RegExp(`https://localhost:${origin.port}: .*certificate`));
  });

  test("once accepted, events pass at once and a large request arrives whole", async () => {
    await using sluice = await start({ env: { NODE_EXTRA_CA_CERTS: files.cert } });
    using client = await HttpClient.connect(sluice);
    client.request("GET", `/https/localhost:${origin.port}/events`);
    await client.head();
    const late: number[] = [];
    client.stream((chunk) => {
      for (const [sentAt] of Buffer.from(chunk)
        .toString()
        .matchAll(/^\d+\.\d+$/gm)) {
        late.push(performance.now() - Number(sentAt));
      }
    });
    await until(() => late.length === EVENTS, WAIT_MS, "all events");
    expectPrompt(late);

    using sender = await HttpClient.connect(sluice);
    const upload = body.subarray(0, UPLOAD_BYTES);
    const headers = { "Content-Length": `${UPLOAD_BYTES}` };
    sender.request("POST", `/https/localhost:${origin.port}/upload`, headers);
    sender.send(upload);
    expect((await sender.response()).body.toString()).toBe(Bun.sha(upload, "hex") as string);
  });

  test("is accepted with NODE_EXTRA_CA_CERTS, for its own name", async () => {
    await using sluice = await start({ env: { NODE_EXTRA_CA_CERTS: files.cert } });
    const open = await sluice.fds();
    using client = await HttpClient.connect(sluice);
    client.request("GET", `/https/localhost:${origin.port}/x?y`);
    const { status, headers } = await client.head();
    client.pause();
    expect([status, headers.get("x-asked")]).toEqual([200, `https://localhost:${origin.port}/x?y`]);
    await Bun.sleep(STALL_MS);
    client.resume();
    const received = await client.readToEnd();
    expect([received.length, received.equals(body)]).toEqual([LARGE_BYTES, true]);
    client.destroy();

    expect(await statusOf(sluice, `/https/127.0.0.1:${origin.port}/x`)).toBe(503);
    await sluice.waitForLog(new RegExp(`https://127\\.0\\.0\\.1:${origin.port}: .*certificate`));
    await until(async () => (await sluice.fds()) <= open, WAIT_MS, `at most ${open} open files`);
  });
});
