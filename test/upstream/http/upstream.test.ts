/** What an HTTP upstream does with a stream: when it reads, what it says of itself, and how it ends. */

import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { defaultDraft } from "../../../src/config/options.ts";
import type { Upstream, UpstreamParent } from "../../../src/relay/upstream.ts";
import { allocate, type Memory } from "../../../src/system/memory.ts";
import { httpPlanner } from "../../../src/upstream/http/planner.ts";
import type { PlanRequest } from "../../../src/upstream/planner.ts";
import { CLIENT_STATE } from "../../../src/wire/status/client-state.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { HttpOrigin, type OriginScript } from "../../fakes/http-origin.ts";
import { describeInNamespace } from "../../fakes/namespace.ts";
import { OPEN_REACH } from "../../fakes/reach.ts";
import { type RecordingLog, recordingLog } from "../../fakes/recording-log.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 5000;
const BUSY_BYTES = 128 * 1024;
const HEAD = "HTTP/1.1 206 Some\r\nX-Own: 1\r\n\r\n";

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

const REQUEST: PlanRequest = {
  url: asByteString(""),
  serviceUrl: undefined,
  path: asByteString("/"),
  method: "GET",
  headers: [],
  body: new Uint8Array(0),
  isSnapshot: false,
  nowMs: 0,
};

function plan(request: Partial<PlanRequest>, log: RecordingLog, settings = {}) {
  const links = {
    rules: {
      relative: true,
      appPathPrefix: asByteString(""),
      trustForwarded: false,
      hostname: undefined,
      local: { host: "relay", port: 5140 },
    },
    encodedToken: undefined,
  };
  const planner = httpPlanner({ ...defaultDraft().values, ...settings }, { log, links, reach: OPEN_REACH });
  const outcome = planner({ ...REQUEST, ...request });
  if ("status" in outcome) throw new Error(`no plan: ${outcome.status}`);
  return outcome;
}

/** A stream whose reads bring what the test says. */
class FakeParent implements UpstreamParent {
  room = 1000;
  /** What the next reads bring; then what the source has. */
  turns: number[] = [];
  fills = 0;
  wakes = 0;
  opens = 0;
  readonly states: number[] = [];
  readonly ends: (Error | undefined)[] = [];
  received = "";
  readonly #memory = allocate(1000);

  fill(read: (into: Memory, offset: number, length: number) => number): number {
    this.fills++;
    const turn = this.turns.shift();
    if (turn !== undefined) return turn;
    let total = 0;
    for (;;) {
      const count = read(this.#memory, 0, 1000);
      if (count <= 0) return count < 0 ? -1 : total;
      total += count;
      this.received += Buffer.from(this.#memory.bytes.subarray(0, count)).toString("latin1");
    }
  }

  wake(): void {
    this.wakes++;
  }

  entered(state: number): void {
    this.states.push(state);
  }

  opened(): void {
    this.opens++;
  }

  ended(cause: Error | undefined): void {
    this.ends.push(cause);
  }

  append(): void {
    throw new Error("a byte stream has no units");
  }

  retain(): void {}

  cannotPause(): void {
    throw new Error("it can");
  }

  markRandomAccess(): void {
    throw new Error("nobody has looked at it");
  }
}

function open(script: OriginScript, request: Partial<PlanRequest> = {}, path = "/x", settings = {}) {
  const origin = resources.use(new HttpOrigin(script));
  const parent = new FakeParent();
  const log = recordingLog();
  const upstream: Upstream = plan(
    { url: asByteString(`http://127.0.0.1:${origin.port}${path}`), ...request },
    log,
    settings,
  ).open(parent);
  resources.defer(() => upstream.close());
  const isOpen = () => until(() => parent.opens > 0, WAIT_MS, "the head");
  return { origin, parent, upstream, log, isOpen };
}

describe("the head", () => {
  test("opens the stream at once, with the states on the way", async () => {
    const { origin, parent, upstream, isOpen } = open((to) => to.send(HEAD));
    await isOpen();
    expect(parent.states).toEqual([CLIENT_STATE.httpAwaitingHead, CLIENT_STATE.httpStreaming]);
    expect(upstream.info.response).toMatchObject({ status: 206, statusLine: "HTTP/1.1 206 Some" });
    expect(upstream.info.response!.headers).toContainEqual(["X-Own", "1"]);
    expect(parent.wakes).toBe(1);
    expect(await (await origin.connection()).head()).toStartWith("GET /x HTTP/1.1\r\n");
  });

  test("is awaited without a read", async () => {
    const { origin, parent, upstream } = open(() => {});
    await (await origin.connection()).head();
    for (let now = 0; now < 1000; now += 10) upstream.tick(now);
    expect([parent.fills, parent.opens]).toEqual([0, 0]);
  });

  test("that never comes is the cause of the end, and is logged once", async () => {
    const { parent, log } = open((to) => to.reset());
    await until(() => parent.ends.length > 0, WAIT_MS, "the end");
    expect(parent.ends).toEqual([expect.objectContaining({ code: "bad-response", status: 503 })]);
    expect(log.lines.filter((line) => line.startsWith("ERROR"))).toHaveLength(1);
  });

  test("that comes after the close is nobody's", async () => {
    const { origin, parent, upstream } = open(() => {});
    const connection = await origin.connection();
    await connection.head();
    upstream.close();
    connection.send(HEAD);
    await until(() => connection.state !== "open", WAIT_MS, "the connection to be closed");
    expect([parent.opens, parent.ends]).toEqual([0, []]);
  });
});

const TCP_RMEM = "/proc/sys/net/ipv4/tcp_rmem";
describeInNamespace(import.meta.path, "where the kernel gives a connection little memory", () => {
  test("the next read is soon after one that may have kept the server waiting", async () => {
    writeFileSync(TCP_RMEM, "4096 131072 131072");
    const { parent, upstream, isOpen } = open((to) => to.send(HEAD));
    await isOpen();
    const pace = (turn: number) => {
      parent.turns = [turn];
      upstream.tick(10);
      return upstream.tickMs;
    };
    expect([pace(1), pace(1), pace(32_768), pace(32_767), pace(32_768)]).toEqual([8, 16, 4, 8, 4]);
  });
});

describe("the next read", () => {
  test("is soon after one that brought much, and later each time after one that did not", async () => {
    const { parent, upstream, isOpen } = open((to) => to.send(HEAD));
    await isOpen();
    const pace = (turn: number, now: number) => {
      parent.turns = [turn];
      upstream.tick(now);
      return upstream.tickMs;
    };
    expect([1, 1, 1, 1, 1].map((turn, i) => pace(turn, i))).toEqual([8, 16, 32, 50, 50]);
    expect([pace(BUSY_BYTES, 10), pace(BUSY_BYTES - 1, 11), pace(BUSY_BYTES, 12)]).toEqual([4, 8, 4]);
  });

  test("waits for the source to tell, when nothing has come for long", async () => {
    const { origin, parent, upstream, isOpen } = open((to) => to.send(HEAD));
    await isOpen();
    parent.turns = [5, 0, 0];
    for (const now of [1000, 1050, 1099]) upstream.tick(now);
    expect([parent.fills, upstream.tickMs]).toEqual([3, 32]);
    upstream.tick(1100);
    expect(upstream.tickMs).toBe(1000);
    for (const now of [2100, 3100]) upstream.tick(now);
    expect(parent.fills).toBe(4);
    const wakes = parent.wakes;
    (await origin.connection()).send("late");
    await until(() => parent.wakes > wakes, WAIT_MS, "to be woken");
    upstream.tick(4000);
    expect([parent.received, upstream.tickMs < 1000]).toEqual(["late", true]);
  });

  test("is as calm as may be while the consumer is too slow, and needs nobody to tell", async () => {
    const { parent, upstream, isOpen } = open((to) => to.send(HEAD));
    await isOpen();
    parent.room = 0;
    for (let i = 0; i < 10; i++) {
      parent.turns = [0];
      upstream.tick(1000 + i * 1000);
    }
    expect([upstream.tickMs, parent.fills]).toEqual([50, 10]);
  });
});

describe("the end", () => {
  test("of a body is no failure, wherever it comes", async () => {
    for (const body of ["", "some"]) {
      const { parent, upstream, isOpen } = open((to) => {
        to.send(HEAD + body);
        to.end();
      });
      await isOpen();
      await until(
        () => {
          upstream.tick(performance.now());
          return parent.ends.length > 0;
        },
        WAIT_MS,
        "the end",
      );
      expect([parent.received, parent.ends[0]]).toEqual([body, undefined]);
      upstream.close();
    }
  });

  test("of a playlist that cannot be rewritten is one", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nContent-Encoding: gzip\r\n\r\n";
    const { parent, log } = open((to) => {
      to.send(`${head}this is no gzip`);
      to.end();
    });
    await until(() => parent.ends.length > 0, WAIT_MS, "the end");
    expect([parent.opens, parent.ends]).toEqual([0, [expect.objectContaining({ code: "bad-playlist", status: 503 })]]);
    expect(log.lines).toContainEqual(expect.stringMatching(/^ERROR .*playlist not rewritten/));
  });
});

test("a playlist is a body of known length, and its server is asked no more", async () => {
  const { origin, parent, upstream, isOpen } = open(
    (to) => to.send("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n#EXTM3U\nhttp://cdn/one.ts\r\n"),
    {},
    "/x.m3u8",
  );
  await isOpen();
  const { response } = upstream.info;
  upstream.tick(1000);
  upstream.tick(1010);
  expect(parent.received).toContain("/http/cdn/one.ts");
  expect(response!.headers).toContainEqual(["Content-Length", String(parent.received.length)]);
  const connection = await origin.connection();
  await until(() => connection.state !== "open", WAIT_MS, "the connection to be closed");
  expect(parent.ends.length).toBeGreaterThan(0);
  expect(parent.ends[0]).toBeUndefined();
});

describe("a plan", () => {
  test("is nobody else's, and keeps what is for this relay from the server and the log", async () => {
    const log = recordingLog();
    const { key, overflow, about, canSnapshot, countsAsClient, accessLog } = plan(
      { url: asByteString("http://h:81/p?a=1&r2h-ifname=lo&u=http%3A%2F%2Fc%3Fr2h-token%3Dsecret") },
      log,
      { upstreamInterface: "eth0", upstreamInterfaceHttp: "eth1" },
    );
    expect([key, overflow, canSnapshot, countsAsClient]).toEqual([undefined, "pause", false, true]);
    expect(about).toMatchObject({ kind: "http", interfaceName: "lo", receiver: "stream" });
    expect(about.url).toStartWith("http://h:81/p?a=1&u=");
    expect(about.url).not.toContain("secret");
    expect(accessLog.url).not.toContain("r2h-ifname");
  });

  test("uses the interface that the settings name for HTTP, else the one for all", () => {
    const log = recordingLog();
    const url = asByteString("http://h/");
    const all = { upstreamInterface: "eth0" };
    expect(plan({ url }, log, all).about.interfaceName).toBe("eth0");
    expect(plan({ url }, log, { ...all, upstreamInterfaceHttp: "eth1" }).about.interfaceName).toBe("eth1");
    expect(plan({ url }, log).about.interfaceName).toBeUndefined();
  });

  test("sends the client's method, headers and body, and the user agent of the settings", async () => {
    const request = {
      method: "POST",
      headers: [
        ["X-Own", "1"],
        ["User-Agent", "client"],
      ] as const,
      body: Buffer.from("hello"),
    };
    const { origin } = open(() => {}, request, "/x?a=1&r2h-ifname=lo", { httpProxyUserAgent: "relay/1" });
    const connection = await origin.connection();
    const head = await connection.head();
    expect(head).toStartWith("POST /x?a=1 HTTP/1.1\r\n");
    expect(head).toContain("\r\nX-Own: 1\r\n");
    expect(head).toContain("\r\nUser-Agent: relay/1\r\n");
    expect(head).not.toContain("client");
    await until(() => connection.received.toString().endsWith("\r\n\r\nhello"), WAIT_MS, "the body");
  });
});
