/** Fast channel change as a client sees it: what its URL asks for, when the picture comes, who is asked. */
import { afterEach, describe, expect, test } from "bun:test";
import type { FccServerOptions } from "../fakes/fcc-server.ts";
import { FCC_ANSWER_AFTER_MS, FCC_STREAM_ID, FccService } from "../fakes/fcc-service.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { MediaServer } from "./media-server.ts";

const WAIT_MS = 8000;
/** Of the time to the first key frame, by the plan for a machine that does nothing else, and what a busy one is given. */
const MEDIAN_MS = 40;
const TRIES = 5;
const ROUNDS = 7;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function openService(options: Partial<FccServerOptions> = {}): Promise<FccService> {
  const service = await FccService.open(options);
  closers.push(() => service.close());
  return service;
}

function relay(settings: ConstructorParameters<typeof MediaServer>[0] = {}): MediaServer {
  const server = new MediaServer({
    ...settings,
    settings: { upstreamInterfaceMulticast: "lo", ...settings?.settings },
  });
  closers.push(() => server[Symbol.dispose]());
  return server;
}

async function open(server: MediaServer, path: string, method = "GET") {
  const client = await server.request(path, method);
  closers.push(() => client.destroy());
  const { status, headers } = await client.head();
  return { client, status, fcc: [headers.get("r2h-fcc-type"), headers.get("r2h-fcc-status")] };
}

function verified(client: HttpClient): TsVerifier {
  const verifier = new TsVerifier(FCC_STREAM_ID);
  client.stream((chunk) => verifier.push(chunk));
  return verifier;
}

describe("a client", () => {
  test.each(["telecom", "huawei"] as const)("gets the last key frame, then the group (%s)", async (dialect) => {
    const service = await openService({ dialect });
    const server = relay();
    const { client, status, fcc } = await open(
      server,
      service.path(`fcc=${service.server.fcc}&fcc-type=${dialect.toUpperCase()}`),
    );
    expect([status, ...fcc]).toEqual([200, dialect, "active"]);
    const verifier = verified(client);
    await until(() => service.server.count("termination") > 0, WAIT_MS, "the hand-over");
    const { packets } = verifier;
    await until(() => verifier.packets > packets + 500, WAIT_MS, "the group");
    expect(verifier.clean).toBe(true);
    expect(verifier.beganAtRandomAccess).toBe(true);
    const [upstream] = server.clients.report(performance.now()).upstreams;
    expect(upstream?.fcc).toMatchObject({ state: "mcast-active", server: service.server.fcc, dialect, gapPackets: 0 });
    expect(upstream?.fcc.burstBytes).toBeGreaterThan(100_000);
    expect(upstream?.fcc.firstUnicastMs).toBeGreaterThanOrEqual(FCC_ANSWER_AFTER_MS);
  });

  test("has a picture within 40 ms in the median", async () => {
    const server = relay();
    const medians: number[] = [];
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await timeToPicture(server));
      medians.push(times.sort((a, b) => a - b)[ROUNDS >> 1]!);
      if (medians.at(-1)! <= MEDIAN_MS) break;
    }
    expect(Math.min(...medians)).toBeLessThanOrEqual(MEDIAN_MS);
  }, 60_000);

  test("of a channel that is open already asks nobody, whatever its URL says", async () => {
    const service = await openService();
    const server = relay();
    const first = await open(server, service.path());
    const verifier = verified(first.client);
    await until(() => service.server.count("termination") > 0 && verifier.packets > 6000, WAIT_MS, "the hand-over");
    const asked = service.server.received.length;
    for (const query of [`fcc=${service.server.fcc}`, "", "fcc=127.0.0.1:1"]) {
      const { client, fcc } = await open(server, service.path(query));
      expect(fcc).toEqual(["telecom", "active"]);
      const warm = verified(client);
      await until(() => warm.packets > 100, WAIT_MS, "the picture");
      expect(warm.beganAtRandomAccess).toBe(true);
      expect(warm.clean).toBe(true);
    }
    expect(server.hub.size).toBe(1);
    expect(service.server.received.length).toBe(asked);
  });

  test("that begins in the midst of the stream is told so", async () => {
    const service = await openService();
    const server = relay({ settings: { fastStart: false } });
    await open(server, service.path());
    const { fcc } = await open(server, service.path());
    expect(fcc).toEqual(["telecom", "fallback"]);
  });
});

async function timeToPicture(server: MediaServer): Promise<number> {
  const service = await openService();
  const client = await server.server.connect();
  const verifier = new TsVerifier(FCC_STREAM_ID);
  const before = performance.now();
  client.request("GET", service.path());
  await client.head();
  client.stream((chunk) => verifier.push(chunk));
  await until(() => verifier.packets >= 3, WAIT_MS, "the picture");
  const ms = performance.now() - before;
  expect(verifier.beganAtRandomAccess).toBe(true);
  client.destroy();
  return ms;
}

describe("without FCC there is the group", () => {
  test("when the server is silent", async () => {
    const service = await openService({ answerAfterMs: undefined });
    const { client, status, fcc } = await open(relay(), service.path());
    expect([status, ...fcc]).toEqual([200, "telecom", "fallback"]);
    const verifier = verified(client);
    await until(() => verifier.packets > 500, WAIT_MS, "the group");
    expect(verifier.clean).toBe(true);
  });

  test.each([
    ["127.0.0.1", "it has no port"],
    ["[::1]:8027", "an FCC server has an IPv4 address"],
    ["239.1.1.1:8027", "an FCC server has an IPv4 address"],
  ])("when the URL says fcc=%s", async (fcc, why) => {
    const service = await openService();
    const server = relay();
    const answer = await open(server, service.path(`fcc=${fcc}`));
    expect([answer.status, ...answer.fcc]).toEqual([200, null, null]);
    expect(server.complaints).toEqual([`WARN fcc=${fcc} is ignored: ${why}`]);
    expect(service.server.received).toEqual([]);
  });
});

test("HEAD asks no server", async () => {
  const service = await openService();
  const server = relay();
  expect((await open(server, service.path(), "HEAD")).fcc).toEqual(["telecom", null]);
  expect((await open(server, service.path(`fcc=${service.server.fcc}&fcc-type=huawei`), "HEAD")).fcc).toEqual([
    "huawei",
    null,
  ]);
  expect((await open(server, service.path("fcc=10.0.0.1:8027"), "HEAD")).fcc).toEqual(["huawei", null]);
  await Bun.sleep(20);
  expect(service.server.received).toEqual([]);
});

test("fcc= without a server is answered 404", async () => {
  expect((await open(relay(), "/rtp/239.1.2.3:5000?fcc=")).status).toBe(404);
});

test.each([
  ["&r2h-ifname-fcc=lo&r2h-ifname=eth0", {}, "lo"],
  ["&r2h-ifname=lo", { upstreamInterfaceFcc: "eth0" }, "lo"],
  ["", { upstreamInterfaceFcc: "lo", upstreamInterface: "eth0" }, "lo"],
  ["", { upstreamInterface: "lo" }, "lo"],
  ["", {}, ""],
])("with %j and %j the server is asked on interface %p", async (query, settings, name) => {
  const service = await openService();
  const server = relay({ settings });
  const client = await server.request(service.path(`fcc=${service.server.fcc}${query}`));
  closers.push(() => client.destroy());
  const isAsked = (line: string) => line.includes("is asked in telecom from 127.0.0.1:");
  await until(() => server.log.some(isAsked), WAIT_MS, "the server to be asked");
  expect(/ on interface (.*)$/.exec(server.log.find(isAsked)!)?.[1] ?? "").toBe(name);
});

test("an interface for the servers that does not exist is told, and they are asked all the same", async () => {
  const service = await openService();
  const server = relay();
  const path = service.path(`fcc=${service.server.fcc}&r2h-ifname-fcc=nosuch0`);
  expect((await open(server, path)).fcc).toEqual(["telecom", "active"]);
  expect(server.log.filter((line) => line.startsWith("ERROR"))).toEqual([
    expect.stringMatching(/^ERROR FCC servers cannot be asked on the interface nosuch0, which does not exist \(now\)/),
  ]);
});
