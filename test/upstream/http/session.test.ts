/** Sessions against a scripted server: connecting, timeouts, response heads, and the first bytes of a body. */

import { afterEach, describe, expect, test } from "bun:test";
import { allocate } from "../../../src/system/memory.ts";
import { BodySource } from "../../../src/upstream/http/body.ts";
import type { HttpUpstreamError } from "../../../src/upstream/http/errors.ts";
import { HttpSession, type HttpSessionRequest } from "../../../src/upstream/http/session.ts";
import type { ResponseHead } from "../../../src/wire/http-response-head.ts";
import { parseIpAddress } from "../../../src/wire/ip-address.ts";
import type { BodyFraming } from "../../../src/wire/response-framing.ts";
import { freeTcpPort } from "../../fakes/free-port.ts";
import { BlackHole, HttpOrigin, type OriginScript } from "../../fakes/http-origin.ts";
import { until } from "../../fakes/until.ts";
import { collectingLog } from "../../http/serve.ts";

const WAIT_MS = 4000;
const STAGE_TIMEOUT_MS = 150;
const AREA_BYTES = 64 * 1024;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

function origin(script: OriginScript, hostname = "127.0.0.1"): number {
  return resources.use(new HttpOrigin(script, { hostname })).port;
}

class Client {
  head: ResponseHead | undefined;
  failure: HttpUpstreamError | undefined;
  readonly session: HttpSession;
  #framing: BodyFraming | undefined;

  constructor(port: number, request: Partial<HttpSessionRequest> = {}, host = "127.0.0.1") {
    const base: HttpSessionRequest = {
      url: { scheme: "http", host, port, path: "/" },
      method: "GET",
      head: Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      body: new Uint8Array(0),
      isOurselves: () => false,
    };
    const parent = {
      responded: (head: ResponseHead, framing: BodyFraming) => {
        this.head = head;
        this.#framing = framing;
      },
      readable: () => {},
      failed: (cause: HttpUpstreamError) => {
        this.failure = cause;
      },
    };
    this.session = new HttpSession({ ...base, ...request }, parent, collectingLog([]));
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
    const client = new Client(hole.port, { stageTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await client.failed()).toBe("unreachable");
    expect(client.failure?.message).toContain("no answer in time");
  });

  test.each<[what: string, resolve: HttpSessionRequest["resolve"], code: string]>([
    ["none", async () => [], "unreachable"],
    ["an error", () => Promise.reject(new Error("not found")), "unresolved"],
    ["silence", () => new Promise(() => {}), "unresolved"],
  ])("%s", async (_, resolve, code) => {
    const client = new Client(1, { resolve: resolve!, stageTimeoutMs: STAGE_TIMEOUT_MS }, "origin.test");
    expect(await client.failed()).toBe(code);
  });

  test("must not lead back to us", async () => {
    expect(await new Client(1, { isOurselves: () => true }).failed()).toBe("loop");
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
  const client = new Client(origin(script), { stageTimeoutMs: STAGE_TIMEOUT_MS });
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

test("a body that ends early is not complete", async () => {
  const port = origin((connection) => {
    connection.send(`${HEAD}hel`);
    connection.end();
  });
  expect(await new Client(port).body()).toEqual({ text: "hel", isComplete: false });
});
