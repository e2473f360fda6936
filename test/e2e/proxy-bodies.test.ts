/** Bodies through the HTTP proxy arrive byte for byte, however slowly they are read and however little memory there is. */

import { describe, expect, test } from "bun:test";
import { allocate } from "../../src/system/memory.ts";
import { TcpSource } from "../../src/system/tcp-source.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { seededRandom } from "../fakes/random.ts";
import { tcpRow } from "../fakes/tcp-table.ts";
import { Turns } from "../fakes/turns.ts";
import { until, within } from "../fakes/until.ts";
import { forEachVariant, forVariant, type Sluice } from "./harness.ts";
import { highest, soakMs } from "./soak.ts";

const MIB = 1024 * 1024;
const IS_SOAK = soakMs(0) > 0;
const SMALL = MIB;
const LARGE = (IS_SOAK ? 1024 : 16) * MIB;
const HUGE = (IS_SOAK ? 1024 : 64) * MIB;
/** More than all kernel buffers on the way hold. */
const ENDLESS = 1024 * MIB;

const WAIT_MS = 20_000;
const BODY_MS = IS_SOAK ? 300_000 : 20_000;
/** The kernel gives a client up whose window is closed for 60 s. */
const STALL_MS = IS_SOAK ? 45_000 : 1200;
const SIPPING_MS = soakMs(STALL_MS);
/** They wait for their turn, too. */
const TEST_MS = 3 * (STALL_MS + SIPPING_MS + 2 * BODY_MS);
/** They wait for the same seconds; a soak needs the machine for itself. */
const together = IS_SOAK ? describe.serial : describe.concurrent;
/** How soon whatever belongs to a client that has gone is closed. */
const AT_ONCE_MS = 10_000;
/**
 * An origin that could not send for so long is blocked: longer than its kernel's first window probes (after 200 and 600 ms),
 * which may find that there is room for more after all.
 */
const STILL_MS = 1000;
const SIP_BYTES = 8192;
const SIP_INTERVAL_MS = 20;
/** Less than the body, more than a ring and the buffers of the four sockets on the way. */
const UNDERWAY_MAX_BYTES = 48 * MIB;

/** Sent in one turn: a hundred downloads that send all they can would keep each other, and the relay, waiting for seconds. */
const TURN_BYTES = 512 * 1024;

interface Body {
  readonly framing: "length" | "chunked" | "until-close";
  /** Bytes, without framing. */
  readonly size: number;
}

/** No divisor of any buffer on the way, so that a piece in the wrong place is noticed. */
const BLOCK_BYTES = 65_521;
const random = seededRandom(1);
const BLOCK = Buffer.from(Uint8Array.from({ length: BLOCK_BYTES }, () => random() * 256));
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const CRLF = Buffer.from("\r\n");

/** A numbered block as it goes over the wire; undefined behind the end. Good until the next call. */
function wireBlock({ framing, size }: Body, index: number): Buffer | undefined {
  const length = Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES);
  if (length <= 0) return framing === "chunked" && length > -BLOCK_BYTES ? LAST_CHUNK : undefined;
  BLOCK.writeUInt32BE(index);
  const data = BLOCK.subarray(0, length);
  return framing === "chunked" ? Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), data, CRLF]) : data;
}

const wholeHashes = new Map<string, string>();

/** Hash of a body with its framing. */
function wholeHash(body: Body): string {
  const key = `${body.framing} ${body.size}`;
  const hash = wholeHashes.get(key) ?? wireHash(body, Number.POSITIVE_INFINITY);
  wholeHashes.set(key, hash);
  return hash;
}

/** Hash of the first `length` bytes of a body with its framing. */
function wireHash(body: Body, length: number): string {
  const hash = new Bun.CryptoHasher("sha1");
  let left = length;
  for (let index = 0, block = wireBlock(body, 0); block && left > 0; block = wireBlock(body, ++index)) {
    hash.update(block.subarray(0, left));
    left -= block.length;
  }
  return hash.digest("hex");
}

const FRAMING_HEADER = {
  length: (size: number) => `Content-Length: ${size}\r\n`,
  chunked: () => "Transfer-Encoding: chunked\r\n",
  "until-close": () => "",
};

/** One response as the origin sends it: as much as the kernel takes. */
class Download {
  /** Bytes of the body and its framing that the kernel has taken. */
  sent = 0;
  /** The relay has closed the connection. */
  isClosed = false;
  readonly #socket: Bun.Socket<Download | undefined>;
  readonly #body: Body;
  #state: "sending" | "over" = "sending";
  #index = 0;
  #at = 0;

  constructor(socket: Bun.Socket<Download | undefined>, body: Body) {
    this.#socket = socket;
    this.#body = body;
    socket.write(`HTTP/1.1 200 OK\r\n${FRAMING_HEADER[body.framing](body.size)}\r\n`);
    this.pump();
  }

  pump(): void {
    const pause = this.sent + TURN_BYTES;
    while (this.#state === "sending") {
      if (this.sent >= pause) {
        setImmediate(() => this.pump());
        return;
      }
      const block = wireBlock(this.#body, this.#index);
      if (!block) {
        this.end();
        return;
      }
      const taken = Math.max(0, this.#socket.write(block, this.#at, block.length - this.#at));
      this.sent += taken;
      this.#at += taken;
      if (this.#at < block.length) return;
      this.#at = 0;
      this.#index++;
    }
  }

  /** A FIN behind what was sent. */
  end(): void {
    this.#state = "over";
    this.#socket.shutdown();
  }

  /** A reset: what the relay's kernel has not got is lost. */
  reset(): void {
    this.#state = "over";
    this.#socket.terminate();
  }

  /** Waits until nothing more can be sent; returns how much was. */
  async blocked(): Promise<number> {
    let last = { sent: -1, at: 0 };
    const isStill = () => {
      const at = performance.now();
      if (this.sent !== last.sent) last = { sent: this.sent, at };
      return at - last.at >= STILL_MS;
    };
    await until(isStill, WAIT_MS, "the origin to be blocked");
    return last.sent;
  }

  /** What the kernel waits for at the relay's end and at ours. */
  async timers(): Promise<[relay: string, origin: string]> {
    const { localPort, remotePort } = this.#socket;
    const rows = await Promise.all([tcpRow(remotePort, localPort), tcpRow(localPort, remotePort)]);
    return [rows[0].timer, rows[1].timer];
  }

  /** How much of it the relay's kernel has acknowledged: all but the send queue (proc(5), /proc/net/tcp). */
  async acknowledged(): Promise<number> {
    const { localPort, remotePort } = this.#socket;
    return this.sent - (await tcpRow(localPort, remotePort)).unacknowledged;
  }
}

/** Sends the body that a request's path describes, `/length/1048576`. */
class BodyOrigin {
  readonly downloads: Download[] = [];
  readonly #listener: Bun.TCPSocketListener<Download | undefined>;

  constructor() {
    this.#listener = Bun.listen<Download | undefined>({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      socket: {
        data: (socket, request) => {
          const [, framing, size] = / \/([a-z-]+)\/(\d+) /.exec(request.toString("latin1"))!;
          socket.data = new Download(socket, { framing: framing as Body["framing"], size: Number(size) });
          this.downloads.push(socket.data);
        },
        drain: ({ data }) => data?.pump(),
        end: (socket) => void socket.end(),
        close: ({ data }) => {
          if (data) data.isClosed = true;
        },
      },
    });
  }

  target({ framing, size }: Body): string {
    return `/http/127.0.0.1:${this.#listener.port}/${framing}/${size}`;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

/** A client that hashes what it gets. */
class Reader {
  readonly client: HttpClient;
  readonly body: Body;
  received = 0;
  readonly #hash = new Bun.CryptoHasher("sha1");

  private constructor(client: HttpClient, body: Body) {
    this.client = client;
    this.body = body;
    client.stream((chunk) => {
      this.received += chunk.length;
      this.#hash.update(chunk);
    });
  }

  static async open(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<Reader> {
    const client = await HttpClient.connect(sluice);
    client.request("GET", origin.target(body));
    expect((await client.head(WAIT_MS)).status).toBe(200);
    return new Reader(client, body);
  }

  /** A client that stops reading as soon as the response has begun. */
  static async stalled(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<Reader> {
    const reader = await Reader.open(sluice, origin, body);
    reader.client.pause();
    return reader;
  }

  /** Waits for the end of the connection; returns the hash of the body. */
  async hash(): Promise<string> {
    const end = () => `the end of the body (${this.received} bytes so far)`;
    await until(() => this.client.state !== "open", BODY_MS, end);
    return this.#hash.digest("hex");
  }

  async isIdentical(): Promise<void> {
    expect([this.body, await this.hash()]).toEqual([this.body, wholeHash(this.body)]);
  }

  [Symbol.dispose](): void {
    this.client.destroy();
  }
}

async function readFast(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<void> {
  using reader = await Reader.open(sluice, origin, body);
  await reader.isIdentical();
}

async function readAfterStall(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<void> {
  using reader = await Reader.stalled(sluice, origin, body);
  await Bun.sleep(STALL_MS);
  reader.client.resume();
  await reader.isIdentical();
}

/** Leaves in the middle. */
async function readHalf(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<void> {
  using reader = await Reader.open(sluice, origin, body);
  await until(() => reader.received >= body.size / 2, BODY_MS, "half of the body");
}

/** Takes 8 KiB every 20 ms for a while, then all that comes. */
async function readInSips(sluice: Sluice, origin: BodyOrigin, body: Body): Promise<void> {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const address = parseIpAddress("127.0.0.1")!;
  const source = new TcpSource({ address, port: sluice.port }, { connected: resolve, readable() {} });
  await within(connected, WAIT_MS, "a connection");
  source.write(Buffer.from(`GET ${origin.target(body)} HTTP/1.1\r\nHost: test\r\n\r\n`));
  const area = allocate(8 * SIP_BYTES);
  const hash = new Bun.CryptoHasher("sha1");
  const start = performance.now();
  let hasHead = false;
  for (;;) {
    const isSipping = performance.now() - start < SIPPING_MS;
    const count = source.read(area, 0, isSipping ? SIP_BYTES : area.bytes.length);
    if (count < 0) break;
    const bytes = Buffer.from(area.bytes.subarray(0, count));
    if (count > 0 && !hasHead) {
      // It is sent in one piece.
      expect(bytes.toString("latin1")).toStartWith("HTTP/1.1 200 ");
      hash.update(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4));
      hasHead = true;
    } else hash.update(bytes);
    if (isSipping) await Bun.sleep(SIP_INTERVAL_MS);
    else if (count === 0) await Bun.sleep(1);
    expect(performance.now() - start).toBeLessThan(SIPPING_MS + BODY_MS);
  }
  source.close();
  expect(source.failure).toBeUndefined();
  expect([body, hash.digest("hex")]).toEqual([body, wholeHash(body)]);
}

const MANY_CLIENTS = ["-m", "32"];

/** A turn for so many tests at once: more would keep origins from answering within the relay's 3 s on a busy machine. */
const turns = new Turns(4);

async function untilOpenFilesAreAtMost(sluice: Sluice, count: number): Promise<void> {
  await until(async () => (await sluice.fds()) <= count, WAIT_MS, `at most ${count} open files`);
}

forVariant("binary", "proxied", (start) =>
  together("bodies", () => {
    test.each([1, 16, 47, 64, 65, 100, 111, 128, 1024, undefined])(
      "arrive byte for byte with -b %p",
      async (slots) => {
        using _turn = await turns.next();
        const budget = slots === undefined ? [] : ["-b", `${slots}`];
        await using sluice = await start({ args: [...MANY_CLIENTS, ...budget] });
        const files = await sluice.fds();
        using origin = new BodyOrigin();
        await Promise.all([
          readFast(sluice, origin, { framing: "length", size: SMALL }),
          readFast(sluice, origin, { framing: "chunked", size: SMALL }),
          readFast(sluice, origin, { framing: "length", size: LARGE }),
          readFast(sluice, origin, { framing: "chunked", size: LARGE }),
          readFast(sluice, origin, { framing: "until-close", size: SMALL + 1 }),
          readInSips(sluice, origin, { framing: "length", size: LARGE }),
          readInSips(sluice, origin, { framing: "chunked", size: SMALL }),
          readAfterStall(sluice, origin, { framing: "chunked", size: LARGE }),
          readAfterStall(sluice, origin, { framing: "length", size: LARGE }),
          readHalf(sluice, origin, { framing: "chunked", size: LARGE }),
        ]);
        await untilOpenFilesAreAtMost(sluice, files);
      },
      TEST_MS,
    );

    test(
      "of four fast clients at once arrive byte for byte, huge ones too",
      async () => {
        using _turn = await turns.next();
        await using sluice = await start({ args: MANY_CLIENTS });
        using origin = new BodyOrigin();
        const sizes = [LARGE, LARGE + 1, LARGE + BLOCK_BYTES, HUGE];
        await Promise.all(sizes.map((size) => readFast(sluice, origin, { framing: "length", size })));
        await readFast(sluice, origin, { framing: "chunked", size: HUGE });
      },
      TEST_MS,
    );
  }),
);

forEachVariant("a stalled client", (start) =>
  together("of the proxy", () => {
    test.each([1, 1024, undefined])(
      "blocks its own origin and nobody else's (-b %p)",
      async (slots) => {
        const budget = slots === undefined ? [] : ["-b", `${slots}`];
        await using sluice = await start({ args: [...MANY_CLIENTS, ...budget] });
        using origin = new BodyOrigin();
        const body: Body = { framing: "length", size: HUGE };
        using stalled = await Reader.stalled(sluice, origin, body);
        const download = origin.downloads[0]!;
        const sent = await download.blocked();
        expect(sent).toBeLessThan(Math.min(HUGE, UNDERWAY_MAX_BYTES));
        await Promise.all([
          readFast(sluice, origin, { framing: "length", size: LARGE }),
          readFast(sluice, origin, { framing: "chunked", size: LARGE }),
        ]);
        expect(download.sent).toBe(sent);
        // The window of both connections is closed, and both are looked after.
        expect(await download.timers()).toEqual(["keepalive", "window-probe"]);
        expect((await tcpRow(sluice.port, stalled.client.localPort)).timer).toBe("window-probe");
        stalled.client.resume();
        await stalled.isIdentical();
      },
      TEST_MS,
    );

    test.each(["length", "chunked", "until-close"] as const)(
      "gets what was sent before the origin's end (%s)",
      async (framing) => {
        await using sluice = await start({ args: MANY_CLIENTS });
        using origin = new BodyOrigin();
        using reader = await Reader.stalled(sluice, origin, { framing, size: ENDLESS });
        const [download] = origin.downloads;
        const sent = await download!.blocked();
        download!.end();
        await Bun.sleep(STALL_MS);
        expect(reader.client.state).toBe("open");
        reader.client.resume();
        expect(await reader.hash()).toBe(wireHash(reader.body, sent));
        expect(reader.received).toBe(sent);
        expect(reader.client.state).toBe("ended");
      },
      TEST_MS,
    );

    test(
      "that leaves takes its origin's connection with it at once, as does the end of the program",
      async () => {
        await using sluice = await start({ args: MANY_CLIENTS });
        using origin = new BodyOrigin();
        using leaver = await Reader.stalled(sluice, origin, { framing: "length", size: ENDLESS });
        using _stayer = await Reader.stalled(sluice, origin, { framing: "chunked", size: ENDLESS });
        const [left, stayed] = origin.downloads;
        await Promise.all([left!.blocked(), stayed!.blocked()]);
        leaver.client.destroy();
        await until(() => left!.isClosed, AT_ONCE_MS, "the end of the one connection");
        expect(stayed!.isClosed).toBe(false);
        await sluice.stop();
        await until(() => stayed!.isClosed, AT_ONCE_MS, "the end of the other");
      },
      TEST_MS,
    );

    test(
      "gets what came before the origin's reset",
      async () => {
        await using sluice = await start({ args: MANY_CLIENTS });
        using origin = new BodyOrigin();
        using reader = await Reader.stalled(sluice, origin, { framing: "length", size: ENDLESS });
        const [download] = origin.downloads;
        await download!.blocked();
        const acknowledged = await download!.acknowledged();
        download!.reset();
        await Bun.sleep(STILL_MS);
        expect(reader.client.state).toBe("open");
        reader.client.resume();
        const hash = await reader.hash();
        expect(reader.received).toBe(acknowledged);
        expect(hash).toBe(wireHash(reader.body, acknowledged));
      },
      TEST_MS,
    );
  }),
);

// Not beside the others: what comes at once because the machine is busy takes memory, too.
forEachVariant("stalled clients", (start) =>
  together("of the proxy", () => {
    test.each([
      ["16384", 24 * MIB],
      ["1024", 1.5 * MIB],
    ])(
      "cost memory within the budget, as many as twenty (-b %s)",
      async (slots, budgetBytes) => {
        await using sluice = await start({ args: [...MANY_CLIENTS, "-b", slots] });
        using origin = new BodyOrigin();
        const files = await sluice.fds();
        // Much of the program's file is touched for the first time meanwhile: that is none of the clients' memory.
        const before = await sluice.anonymous();
        using clients = new DisposableStack();
        for (let i = 0; i < 20; i++) {
          clients.use(await Reader.stalled(sluice, origin, { framing: "length", size: ENDLESS }));
        }
        await Promise.all(origin.downloads.map((download) => download.blocked()));
        const most = await highest(() => sluice.anonymous(), IS_SOAK ? STALL_MS : 0);
        expect(most - before).toBeLessThan(budgetBytes + 20_000_000);
        clients.dispose();
        await untilOpenFilesAreAtMost(sluice, files);
      },
      TEST_MS,
    );
  }),
);
