/** Sessions against a scripted server: connecting, timeouts, response heads, and the first bytes of a body. */

import { afterEach, describe, expect, test } from "bun:test";
import type { UpstreamError } from "../../../src/relay/upstream.ts";
import { allocate } from "../../../src/system/memory.ts";
import { Reach } from "../../../src/system/reach.ts";
import { BodySource } from "../../../src/upstream/http/body.ts";
import type { HttpUpstreamError } from "../../../src/upstream/http/errors.ts";
import { HttpSession, type HttpSessionRequest } from "../../../src/upstream/http/session.ts";
import type { BodyFraming } from "../../../src/wire/http/response-framing.ts";
import type { ResponseHead } from "../../../src/wire/http/response-head.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../../src/wire/ip/address.ts";
import { freeTcpPort } from "../../fakes/free-port.ts";
import { BlackHole, HttpOrigin, type OriginConnection, type OriginScript } from "../../fakes/http-origin.ts";
import { OPEN_REACH, OWN_REACH } from "../../fakes/reach.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { until } from "../../fakes/until.ts";
import { noise } from "../../http/serve.ts";

const WAIT_MS = 4000;
const STAGE_TIMEOUT_MS = 400;
const AREA_BYTES = 64 * 1024;
/** More than the kernel buffers of both sides hold. */
const MUCH_BYTES = 16 * 1024 * 1024;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

function origin(script: OriginScript, hostname = "127.0.0.1"): number {
  return serve(script, hostname).port;
}

function serve(script: OriginScript, hostname = "127.0.0.1"): HttpOrigin {
  return resources.use(new HttpOrigin(script, { hostname }));
}

class Client {
  head: ResponseHead | undefined;
  failure: UpstreamError | undefined;
  readableEvents = 0;
  readonly log: string[] = [];
  readonly session: HttpSession;
  #framing: BodyFraming | undefined;

  constructor(port: number, request: Partial<HttpSessionRequest> = {}, host = "127.0.0.1") {
    const base: HttpSessionRequest = {
      url: { scheme: "http", host, port, path: "/" },
      method: "GET",
      head: Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      body: new Uint8Array(0),
      reach: OPEN_REACH,
      answerTimeoutMs: WAIT_MS,
    };
    const parent = {
      responded: (head: ResponseHead, framing: BodyFraming) => {
        this.head = head;
        this.#framing = framing;
      },
      readable: () => {
        this.readableEvents++;
      },
      failed: (cause: HttpUpstreamError) => {
        this.failure = cause;
      },
    };
    this.session = new HttpSession({ ...base, ...request }, parent, recordingLog(this.log));
    resources.defer(() => this.session.close());
  }

  async answered(): Promise<void> {
    await until(() => this.head !== undefined || this.failure !== undefined, WAIT_MS, "an answer");
  }

  async failed(): Promise<string | undefined> {
    await this.answered();
    return this.failure?.code;
  }

  /** The body to the end that its framing promises. */
  async body(): Promise<{ text: string; isComplete: boolean }> {
    await this.answered();
    if (this.failure) throw this.failure;
    const source = new BodySource(this.session, this.#framing!);
    const area = allocate(AREA_BYTES);
    let text = "";
    const isOver = () => {
      for (;;) {
        const count = source.read(area, 0, AREA_BYTES);
        if (count <= 0) return count < 0;
        text += Buffer.from(area.bytes.subarray(0, count)).toString("latin1");
      }
    };
    await until(isOver, WAIT_MS, "the end of the body");
    return { text, isComplete: source.isComplete };
  }
}

describe("the addresses of a name", () => {
  const both = async () => [parseIpAddress("127.0.0.2")!, parseIpAddress("127.0.0.1")!];

  test("are tried one after the other when refused", async () => {
    const port = origin((connection) => connection.send(`${HEAD}hello`));
    expect(await new Client(port, { resolve: both }, "origin.test").body()).toEqual({
      text: "hello",
      isComplete: true,
    });
  });

  test("are given up after a silence", async () => {
    const hole = resources.use(new BlackHole(await freeTcpPort()));
    const client = new Client(hole.port, { connectTimeoutMs: STAGE_TIMEOUT_MS, answerTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await client.failed()).toBe("unreachable");
    expect(client.failure?.message).toContain("no answer within");
  });

  test.each<[what: string, resolve: HttpSessionRequest["resolve"], code: string]>([
    ["none", async () => [], "unreachable"],
    ["an error", () => Promise.reject(new Error("not found")), "unresolved"],
    ["silence", () => new Promise(() => {}), "unresolved"],
  ])("%s", async (_, resolve, code) => {
    const client = new Client(
      1,
      { resolve: resolve!, connectTimeoutMs: STAGE_TIMEOUT_MS, answerTimeoutMs: STAGE_TIMEOUT_MS },
      "origin.test",
    );
    expect(await client.failed()).toBe(code);
  });

  test("must not lead back to us", async () => {
    expect(await new Client(1, { reach: OWN_REACH }).failed()).toBe("loop");
  });

  test("are looked at as what they lead to", async () => {
    const asked: string[] = [];
    const reach = new Reach({ upstreamAllow: [], upstreamDeny: [] }, (address, port) => {
      asked.push(`${formatIpAddress(address)} ${port}`);
      return true;
    });
    expect(await new Client(7, { reach }, "::ffff:127.0.0.1").failed()).toBe("loop");
    expect(asked).toEqual(["127.0.0.1 7"]);
  });

  test("are reached by the routing table when the interface is not there, which is logged", async () => {
    const client = new Client(
      origin((connection) => connection.send(`${HEAD}hello`)),
      { interfaceName: "no-device0" },
    );
    expect((await client.body()).text).toBe("hello");
    expect(client.log.filter((line) => line.startsWith("ERROR") && line.includes("no-device0"))).toHaveLength(1);
  });

  test("are not tried any more once the session is closed", async () => {
    const server = serve(() => {});
    const found = Promise.withResolvers<IpAddress[]>();
    const client = new Client(server.port, { resolve: () => found.promise }, "origin.test");
    client.session.close();
    found.resolve([parseIpAddress("127.0.0.1")!]);
    expect((await new Client(origin((connection) => connection.send(`${HEAD}hello`))).body()).text).toBe("hello");
    expect([server.connections.length, client.head, client.failure]).toEqual([0, undefined, undefined]);
  });
});

test.each<[what: string, script: OriginScript, code: string]>([
  ["silence", () => {}, "timeout"],
  ["half a head", (connection) => connection.send("HTTP/1.1 200"), "timeout"],
  ["the end", (connection) => connection.end(), "bad-response"],
  ["a reset", (connection) => connection.reset(), "bad-response"],
  ["garbage", (connection) => connection.send("\0\x01\x02\n"), "bad-response"],
  ["a giant head", (connection) => connection.send(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}`), "bad-response"],
])("%s instead of a response head", async (_, script, code) => {
  const client = new Client(origin(script), { connectTimeoutMs: STAGE_TIMEOUT_MS, answerTimeoutMs: STAGE_TIMEOUT_MS });
  const found = await client.failed();
  // A reset may come before the connection is known to be made.
  if (_ === "a reset") expect(["bad-response", "unreachable"]).toContain(found!);
  else expect(found).toBe(code);
});

test.each<[what: string, answer: string, body: string]>([
  ["with its length", `${HEAD}hello`, "hello"],
  ["behind an interim response", `HTTP/1.1 100 Continue\r\n\r\n${HEAD}hello`, "hello"],
  ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "2\r\nab\r\n0\r\n\r\n"],
])("a body %s ends at once, also when it comes byte by byte", async (_, answer, body) => {
  const whole = new Client(origin((connection) => connection.send(`${answer}more`)));
  expect(await whole.body()).toEqual({ text: body, isComplete: true });
  const port = origin(async (connection) => {
    for (const byte of answer) {
      connection.send(byte);
      await Bun.sleep(0);
    }
  });
  expect(await new Client(port).body()).toEqual({ text: body, isComplete: true });
});

describe("a request", () => {
  const head = Buffer.from("POST / HTTP/1.1\r\n\r\n");

  test("arrives as it was given, head and body", async () => {
    const server = serve(async (connection) => {
      await until(() => connection.received.length === head.length + MUCH_BYTES, WAIT_MS, "the request");
      connection.send(`${HEAD}hello`);
    });
    const body = noise(MUCH_BYTES);
    expect((await new Client(server.port, { method: "POST", head, body }).body()).text).toBe("hello");
    expect(Buffer.compare(server.connections[0]!.received, Buffer.concat([head, body]))).toBe(0);
  });

  test("that a server does not take is given up", async () => {
    const port = origin((connection) => connection.pause());
    const body = noise(MUCH_BYTES);
    const client = new Client(port, {
      method: "POST",
      head,
      body,
      connectTimeoutMs: STAGE_TIMEOUT_MS,
      answerTimeoutMs: STAGE_TIMEOUT_MS,
    });
    expect(await client.failed()).toBe("timeout");
  });

  test("that is taken late has its full time for the answer", async () => {
    const answerTimeoutMs = 1000;
    const late = 0.7 * answerTimeoutMs;
    const port = origin(async (connection) => {
      connection.pause();
      await Bun.sleep(late);
      connection.resume();
      await until(() => connection.received.length === head.length + MUCH_BYTES, WAIT_MS, "the request");
      await Bun.sleep(late);
      connection.send(`${HEAD}hello`);
    });
    const client = new Client(port, { method: "POST", head, body: noise(MUCH_BYTES), answerTimeoutMs });
    expect((await client.body()).text).toBe("hello");
  });
});

describe("the raw body", () => {
  /** A session whose head has come, alone or with the first bytes of the body. */
  async function answered(first: string): Promise<{ client: Client; connection: OriginConnection }> {
    const server = serve((connection) => connection.send(`HTTP/1.1 200 OK\r\n\r\n${first}`));
    const client = new Client(server.port);
    await client.answered();
    return { client, connection: await server.connection() };
  }

  function read(client: Client, length = 100): string | undefined {
    const area = allocate(AREA_BYTES);
    const count = client.session.read(area, 7, length);
    return count < 0 ? undefined : Buffer.from(area.bytes.subarray(7, 7 + count)).toString();
  }

  test("begins with what came with the head, and is told when asked", async () => {
    const { client, connection } = await answered("hello");
    client.session.waitReadable();
    await until(() => client.readableEvents === 1, WAIT_MS, "the first event");
    expect([read(client, 2), read(client)]).toEqual(["he", "llo"]);
    expect(read(client)).toBe("");
    client.session.waitReadable();
    connection.send("more");
    await until(() => client.readableEvents === 2, WAIT_MS, "the second event");
    expect(read(client)).toBe("more");
    client.session.waitReadable();
    connection.end();
    await until(() => client.readableEvents === 3, WAIT_MS, "the event of the end");
    expect([read(client), client.session.failure]).toEqual([undefined, undefined]);
  });

  test("ends with a failure when it is reset, behind what has come", async () => {
    const { client, connection } = await answered("");
    client.session.waitReadable();
    connection.send("last");
    await until(() => client.readableEvents === 1, WAIT_MS, "the event");
    connection.reset();
    let text = "";
    const isOver = () => {
      const piece = read(client);
      text += piece ?? "";
      return piece === undefined;
    };
    await until(isOver, WAIT_MS, "the end");
    expect(text).toBe("last");
    expect(client.session.failure).toBeInstanceOf(Error);
  });

  test("has no timer, however long nobody reads it", async () => {
    const server = serve((connection) => connection.send("HTTP/1.1 200 OK\r\n\r\nhello"));
    const client = new Client(server.port, { connectTimeoutMs: STAGE_TIMEOUT_MS, answerTimeoutMs: STAGE_TIMEOUT_MS });
    await client.answered();
    await Bun.sleep(3 * STAGE_TIMEOUT_MS);
    const connection = await server.connection();
    expect(connection.state).toBe("open");
    client.session.waitReadable();
    await until(() => client.readableEvents === 1, WAIT_MS, "the event");
    expect([read(client), client.failure]).toEqual(["hello", undefined]);
  });

  test("is over, and told no more, once the session is closed", async () => {
    const { client, connection } = await answered("hello");
    client.session.waitReadable();
    client.session.close();
    await until(() => connection.state !== "open", WAIT_MS, "the server to notice");
    expect([client.readableEvents, read(client)]).toEqual([0, undefined]);
  });
});

test("a body that ends early is not complete", async () => {
  const port = origin((connection) => {
    connection.send(`${HEAD}hel`);
    connection.end();
  });
  expect(await new Client(port).body()).toEqual({ text: "hel", isComplete: false });
});
