/** Outgoing connections over real sockets: plain and TLS, with and without libc. */

import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { libc } from "../../src/system/libc.ts";
import { allocate } from "../../src/system/memory.ts";
import type { TcpTarget } from "../../src/system/tcp-connect.ts";
import { type TcpEvents, TcpSource } from "../../src/system/tcp-source.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { freeTcpPort } from "../fakes/free-port.ts";
import {
  BlackHole,
  type Certificate,
  certificateAt,
  HttpOrigin,
  NewCertificate,
  type OriginConnection,
  type OriginOptions,
} from "../fakes/http-origin.ts";
import { tcpRow } from "../fakes/tcp-table.ts";
import { until } from "../fakes/until.ts";
import { noise } from "../http/serve.ts";

const WAIT_MS = 5000;
const CHILD_TIMEOUT_MS = 60_000;
/** For a test in a child, which may run without a compiler. */
const CHILD_TEST_TIMEOUT_MS = 15_000;
const AREA_BYTES = 256 * 1024;
const MiB = 1024 * 1024;
/** More than the kernel buffers of both sides hold. */
const MUCH_BYTES = 32 * MiB;
const NAME = "origin.test";

/** A child process runs this file for a kind of connection that ours is not set up for. */
type Kind = "plain" | "tls" | "plain without libc";
const KIND = (process.env["SLUICE_TEST_TCP_KIND"] ?? "plain") as Kind;
const IS_CHILD = process.env["SLUICE_TEST_TCP_KIND"] !== undefined;

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** A source with what it has told and what was read from it. */
class Reader implements TcpEvents {
  readonly source: TcpSource;
  connections = 0;
  readableEvents = 0;
  isOver = false;
  readonly #area = allocate(AREA_BYTES);
  #pieces: Uint8Array[] = [];

  constructor(target: Omit<TcpTarget, "address"> & { readonly address?: string }) {
    const { address = "127.0.0.1", ...rest } = target;
    this.source = new TcpSource({ address: parseIpAddress(address)!, ...rest }, this);
    resources.defer(() => this.source.close());
  }

  connected(): void {
    this.connections++;
  }

  readable(): void {
    this.readableEvents++;
  }

  get bytes(): Buffer {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [bytes];
    return bytes;
  }

  /** One read of at most `length` bytes, at some offset. */
  read(length = AREA_BYTES - 1): number {
    const count = this.source.read(this.#area, 1, length);
    if (count > 0) this.#pieces.push(this.#area.bytes.slice(1, 1 + count));
    if (count < 0) this.isOver = true;
    return count;
  }

  /** Reads what is there. */
  readAll(length?: number): void {
    for (let count = 1; count > 0; count = this.read(length));
  }

  async connectedOnce(): Promise<void> {
    await until(() => this.connections === 1, WAIT_MS, `a connection (${this.source.failure})`);
  }

  /** Waits for the first bytes, or the end. */
  async becameReadable(): Promise<void> {
    await until(() => this.readableEvents > 0, WAIT_MS, "an announcement");
  }

  async toEnd(length?: number): Promise<Buffer> {
    const isOver = () => {
      this.readAll(length);
      return this.isOver;
    };
    await until(isOver, 2 * WAIT_MS, "the end");
    return this.bytes;
  }
}

let certificate: Certificate | undefined;
beforeAll(() => {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (KIND === "tls" && file) certificate = certificateAt(file);
});

function origin(script?: (connection: OriginConnection) => void, options: OriginOptions = {}): HttpOrigin {
  return resources.use(new HttpOrigin(script, { ...(certificate && { certificate }), ...options }));
}

function connectTo(port: number): Reader {
  return new Reader({ port, tlsName: KIND === "tls" ? NAME : undefined });
}

/** Sockets that this process has open. */
function socketCount(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

describe(KIND, () => {
  test("is what this process runs", () => {
    expect(libc === undefined).toBe(KIND === "plain without libc");
    expect(certificate !== undefined).toBe(KIND === "tls");
  });

  test.each([1000, 16_384, AREA_BYTES - 1])("reads what is asked for, at most %d bytes", async (length) => {
    const media = noise(3 * MiB);
    const { port } = origin((connection) => {
      connection.send(media);
      connection.end();
    });
    const reader = connectTo(port);
    expect(Buffer.compare(await reader.toEnd(length), media)).toBe(0);
    expect([reader.connections, reader.source.failure, reader.read()]).toEqual([1, undefined, -1]);
  });

  test("is kept alive while nothing comes and while nothing is read", async () => {
    const server = origin();
    const reader = connectTo(server.port);
    await reader.connectedOnce();
    const connection = await server.connection();
    const timer = async () => (await tcpRow(reader.source.localPort!, server.port)).timer;
    // What TLS has sent is acknowledged first.
    await until(async () => (await timer()) === "keepalive", WAIT_MS, "the kernel to keep it alive");
    connection.send(noise(MUCH_BYTES));
    await connection.stopped();
    expect((await tcpRow(reader.source.localPort!, server.port)).unread).toBeGreaterThan(0);
    expect(await timer()).toBe("keepalive");
  });

  test("announces each time that bytes come after none were found", async () => {
    const server = origin();
    const reader = connectTo(server.port);
    await reader.connectedOnce();
    const connection = await server.connection();
    for (const [i, text] of ["a", "bc", "d"].entries()) {
      connection.send(text);
      await until(() => reader.readableEvents === i + 1, WAIT_MS, `announcement ${i + 1}`);
      reader.readAll();
    }
    expect(reader.bytes.toString()).toBe("abcd");
    connection.end();
    await until(() => reader.readableEvents === 4, WAIT_MS, "the event of the end");
    expect(reader.read()).toBe(-1);
  });

  test("stops the peer while nothing is read", async () => {
    const media = noise(MUCH_BYTES);
    const server = origin((connection) => connection.send(media));
    const reader = connectTo(server.port);
    const connection = await server.connection();
    await connection.stopped();
    expect(connection.bytesSent).toBeLessThan(MUCH_BYTES / 2);
    const first = reader.readableEvents;
    reader.source.manual();
    connection.end();
    expect(Buffer.compare(await reader.toEnd(), media)).toBe(0);
    expect(first).toBe(1);
  });

  test("finds nothing, then bytes, without being told", async () => {
    const server = origin((connection) => connection.send("first"));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    reader.source.manual();
    reader.readAll();
    (await server.connection()).send("second");
    const both = () => {
      reader.readAll();
      return reader.bytes.length === 11;
    };
    await until(both, WAIT_MS, "the second bytes");
    expect(reader.isOver).toBe(false);
  });

  test("announces once when asked to, if it comes or ends", async () => {
    const server = origin((connection) => connection.send("first"));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    reader.source.manual();
    reader.readAll();
    reader.source.waitReadable();
    const connection = await server.connection();
    connection.send("second");
    await until(() => reader.readableEvents === 2, WAIT_MS, "the event");
    reader.readAll();
    expect(reader.bytes.toString()).toBe("firstsecond");
    reader.source.waitReadable();
    connection.end();
    await until(() => reader.readableEvents === 3, WAIT_MS, "the event of the end");
    expect(reader.read()).toBe(-1);
  });

  test("announces nothing from within a read", async () => {
    const media = noise(MiB);
    const { port } = origin((connection) => {
      connection.send(media);
      connection.end();
    });
    const reader = connectTo(port);
    await reader.becameReadable();
    reader.source.manual();
    const readsOn = () => {
      const { readableEvents } = reader;
      const count = reader.read(1000);
      expect(reader.readableEvents).toBe(readableEvents);
      return count > 0;
    };
    const isOver = () => {
      while (readsOn());
      return reader.isOver;
    };
    await until(isOver, WAIT_MS, "the end");
    expect(reader.bytes).toHaveLength(MiB);
  });

  test("read by hand, finds nothing once behind a read that took all, and then what has come since", async () => {
    const server = origin((connection) => connection.send("a"));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    reader.source.manual();
    expect(reader.read()).toBe(1);
    const connection = await server.connection();
    connection.send("b");
    const { localPort } = reader.source;
    await until(async () => (await tcpRow(localPort!, server.port)).unread > 0, WAIT_MS, "the second byte");
    expect(reader.read()).toBe(0);
    if (KIND === "plain") expect(reader.read()).toBe(1);
    await until(() => reader.bytes.length === 2 || reader.read() > 0, WAIT_MS, "the second byte");
    expect(reader.bytes.toString()).toBe("ab");
    // Only where the event loop has to bring the bytes it tells of them.
    expect(reader.readableEvents).toBe(KIND === "plain" ? 1 : 2);
  });

  test("waits for the first bytes whether asked to or not, and tells of them once", async () => {
    const server = origin();
    const reader = connectTo(server.port);
    reader.source.waitReadable();
    reader.source.manual();
    expect(reader.read()).toBe(0);
    await reader.connectedOnce();
    expect(reader.read()).toBe(0);
    reader.source.waitReadable();
    const connection = await server.connection();
    connection.send("first");
    await reader.becameReadable();
    connection.send("second");
    await until(() => connection.isSent, WAIT_MS, "all to be sent");
    expect(reader.readableEvents).toBe(1);
    reader.source.waitReadable();
    await until(() => reader.readableEvents === 2, WAIT_MS, "the second event");
    reader.readAll();
    expect(reader.bytes.toString()).toBe("firstsecond");
  });

  test("can be handed over, and then tells the new owner", async () => {
    const server = origin();
    const reader = connectTo(server.port);
    await reader.connectedOnce();
    let told = 0;
    reader.source.handOver({
      readable: () => {
        told++;
      },
    });
    (await server.connection()).send("first");
    await until(() => told === 1, WAIT_MS, "the new owner to be told");
    reader.readAll();
    expect([reader.bytes.toString(), reader.readableEvents]).toEqual(["first", 0]);
  });

  test("may be closed when it is connected, and says nothing more", async () => {
    const server = origin((connection) => connection.send("first"));
    const before = socketCount();
    const reader = connectTo(server.port);
    reader.source.write(Buffer.from("never sent"));
    reader.connected = () => {
      reader.connections++;
      reader.source.close();
    };
    await reader.connectedOnce();
    // A TLS server may never hear of it.
    const hasNone = () => server.connections.every(({ state }) => state !== "open") && socketCount() <= before;
    await until(hasNone, WAIT_MS, "both sides to be closed");
    expect([reader.readableEvents, reader.read()]).toEqual([0, -1]);
    expect(server.connections.every(({ received }) => received.length === 0)).toBe(true);
    reader.source.waitReadable();
    expect(reader.read()).toBe(-1);
  });

  test("knows its own port", async () => {
    const server = origin();
    const reader = connectTo(server.port);
    await reader.connectedOnce();
    expect(reader.source.localPort).toBe((await server.connection()).peerPort);
  });

  test("says when it is not bound to the interface that was asked for", async () => {
    const server = origin((connection) => connection.send("hello"));
    const interfaceName = "no-such-device0";
    const reader = new Reader({ port: server.port, tlsName: KIND === "tls" ? NAME : undefined, interfaceName });
    await reader.becameReadable();
    reader.readAll();
    expect([reader.bytes.toString(), reader.source.isBound]).toEqual(["hello", false]);
    expect(connectTo(server.port).source.isBound).toBe(true);
  });

  test("delivers what came before a reset, then says why it is over", async () => {
    const media = noise(50_000);
    const server = origin((connection) => connection.send(media.subarray(0, 1000)));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    const connection = await server.connection();
    expect(Number.isFinite(reader.source.window)).toBe(KIND === "plain");
    connection.send(media.subarray(1000));
    await until(() => connection.isSent, WAIT_MS, "all to be sent");
    connection.reset();
    await until(() => connection.state === "closed", WAIT_MS, "the reset");
    expect(Buffer.compare(await reader.toEnd(1000), media)).toBe(0);
    // TLS ends with an alert, which makes a reset look like a regular end.
    if (KIND !== "tls") expect(reader.source.failure).toBeInstanceOf(Error);
    expect(reader.source.window).toBe(Number.POSITIVE_INFINITY);
  });

  test("reads the end of a server that says nothing", async () => {
    const { port } = origin((connection) => connection.end());
    const reader = connectTo(port);
    expect(await reader.toEnd()).toHaveLength(0);
    expect([reader.connections, reader.source.failure]).toEqual([1, undefined]);
  });

  test("is refused where nobody listens", async () => {
    const reader = connectTo(await freeTcpPort());
    await reader.becameReadable();
    expect([reader.connections, reader.read()]).toEqual([0, -1]);
    expect(reader.source.failure).toBeInstanceOf(Error);
    expect(reader.source.failure?.message).toContain(reader.source.name);
  });

  test("sends all of a large request to a slow server", async () => {
    const body = noise(8 * MiB);
    // A TLS server of Bun's does not always read on after a pause: there, it is the kernel's buffers that make us wait.
    const pauses = KIND !== "tls";
    const server = origin((connection) => pauses && connection.pause());
    const reader = connectTo(server.port);
    reader.source.write(body.subarray(0, 1000));
    reader.source.write(body.subarray(1000));
    await reader.connectedOnce();
    const connection = await server.connection();
    const { source } = reader;
    if (pauses) expect(source.isFlushed).toBe(false);
    const before = source.progressAt;
    expect(before).toBeWithin(performance.now() - WAIT_MS, performance.now());
    if (pauses) connection.resume();
    await until(() => connection.received.length === body.length, WAIT_MS, "all bytes");
    expect(Buffer.compare(connection.received, body)).toBe(0);
    expect(source.isFlushed).toBe(true);
    if (pauses) expect(source.progressAt).toBeGreaterThan(before);
    connection.send("thanks");
    connection.end();
    expect((await reader.toEnd()).toString()).toBe("thanks");
  });

  test("still sends while it does not read", async () => {
    const server = origin((connection) => connection.send(new Uint8Array(100_000)));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    const body = noise(8 * MiB);
    reader.source.write(body);
    const connection = await server.connection();
    await until(() => connection.received.length === body.length, WAIT_MS, "the request");
    expect(Buffer.compare(connection.received, body)).toBe(0);
    expect(reader.source.isFlushed).toBe(true);
  });

  test("says nothing more once closed", async () => {
    const server = origin((connection) => connection.send("first"));
    const reader = connectTo(server.port);
    await reader.becameReadable();
    reader.source.close();
    reader.source.close();
    const connection = await server.connection();
    await until(() => connection.state !== "open", WAIT_MS, "the server to notice");
    expect([reader.readableEvents, reader.read()]).toEqual([1, -1]);
    reader.source.write(new Uint8Array(1));
    expect(reader.source.failure).toBeUndefined();
  });

  test("leaves no socket when it is closed at any time", async () => {
    const server = origin((connection) => connection.send("first"));
    const before = socketCount();
    const atOnce = connectTo(server.port);
    atOnce.source.close();
    const inNextTurn = connectTo(server.port);
    await Bun.sleep(0);
    inNextTurn.source.close();
    const whenOpen = connectTo(server.port);
    await whenOpen.connectedOnce();
    whenOpen.source.close();
    await until(() => socketCount() <= before, WAIT_MS, "the sockets to be closed");
    expect([atOnce.connections, atOnce.readableEvents, inNextTurn.readableEvents]).toEqual([0, 0, 0]);
  });

  test("can be given up while a silent address is tried", async () => {
    if (!libc) return;
    using hole = new BlackHole(await freeTcpPort());
    const before = socketCount();
    const reader = connectTo(hole.port);
    await until(() => socketCount() > before, WAIT_MS, "the attempt");
    reader.source.close();
    if (KIND === "plain") await until(() => socketCount() === before, WAIT_MS, "the socket to be closed");
    expect([reader.connections, reader.readableEvents]).toEqual([0, 0]);
  });
});

if (IS_CHILD && KIND === "tls") {
  describe("a certificate that is trusted", () => {
    test.each(["other.test", "127.0.0.2", "test"])("is refused for the name %s", async (tlsName) => {
      const server = origin((connection) => connection.send("secret"));
      const reader = new Reader({ port: server.port, tlsName });
      await reader.becameReadable();
      expect([reader.connections, reader.read()]).toEqual([0, -1]);
      expect(reader.source.failure?.message).toContain("certificate refused");
    });

    test("is accepted for an address that it names", async () => {
      const server = origin((connection) => connection.end());
      const reader = new Reader({ port: server.port, tlsName: "127.0.0.1" });
      expect(await reader.toEnd()).toHaveLength(0);
      expect(reader.connections).toBe(1);
    });
  });
}

if (!IS_CHILD) {
  describe("in other io", () => {
    test("a certificate that nobody vouches for is refused", async () => {
      using unknown = new NewCertificate([`DNS:${NAME}`]);
      const server = origin(undefined, { certificate: unknown });
      const reader = new Reader({ port: server.port, tlsName: NAME });
      reader.source.write(Buffer.from("secret"));
      await reader.becameReadable();
      expect([reader.connections, reader.read()]).toEqual([0, -1]);
      expect(reader.source.failure?.message).toContain("certificate refused");
      expect(server.connections.every(({ received }) => received.length === 0)).toBe(true);
    });

    test("a server that does not speak TLS is refused", async () => {
      const { port } = origin((connection) => connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"));
      const reader = new Reader({ port, tlsName: NAME });
      await reader.becameReadable();
      expect([reader.connections, reader.read()]).toEqual([0, -1]);
      expect(reader.source.failure).toBeInstanceOf(Error);
    });

    test("IPv6", async () => {
      const { port } = origin((connection) => connection.end(), { hostname: "::1" });
      const reader = new Reader({ address: "::1", port });
      expect(await reader.toEnd()).toHaveLength(0);
      expect(reader.source.name).toBe(`[::1]:${port}`);
    });

    test(
      "TLS passes the same tests",
      async () => {
        using trusted = new NewCertificate([`DNS:${NAME}`, "IP:127.0.0.1"]);
        await runInChild("tls", { NODE_EXTRA_CA_CERTS: trusted.file });
      },
      CHILD_TIMEOUT_MS,
    );

    // Without its compiler Bun has no ffi.
    test(
      "without libc the same tests pass",
      () => runInChild("plain without libc", { BUN_JSC_useJIT: "0" }),
      CHILD_TIMEOUT_MS,
    );
  });
}

async function runInChild(kind: Kind, env: Readonly<Record<string, string>>): Promise<void> {
  const child = Bun.spawn([process.execPath, "test", import.meta.path, `--timeout=${CHILD_TEST_TIMEOUT_MS}`], {
    env: { ...process.env, ...env, SLUICE_TEST_TCP_KIND: kind },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: CHILD_TIMEOUT_MS,
  });
  const results = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(results);
}
