/** Who waits for which name, what is remembered, and who is forgotten. */
import { describe, expect, test } from "bun:test";
import { NameError } from "../../src/system/name-query.ts";
import { NameService, type NameSource } from "../../src/system/name-service.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 10_000;
const LONG_MS = 60_000;
const ADDRESS = parseIpAddress("192.0.2.1")!;
const CLIENT_LIMIT = 16;
const LIMIT = 64;

/** Answers when the test says so. */
class Source implements NameSource {
  readonly asked: { name: string; answer(ttlS?: number): void; fail(code: string): void; isAborted(): boolean }[] = [];

  local(name: string): readonly IpAddress[] | undefined {
    return name === "localhost" ? [parseIpAddress("127.0.0.1")!] : undefined;
  }

  ask(name: string, signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<{ addresses: readonly IpAddress[]; ttlS: number }>();
    this.asked.push({
      name,
      answer: (ttlS = 60) => resolve({ addresses: [ADDRESS], ttlS }),
      fail: (code) => reject(new NameError(code, name)),
      isAborted: () => signal.aborted,
    });
    return promise;
  }

  last() {
    return this.asked.at(-1)!;
  }
}

function start(lookupMs = LONG_MS) {
  const source = new Source();
  return { source, service: new NameService(source, lookupMs) };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "resolved",
    (error: NameError) => error.code,
  );
const texts = async (addresses: Promise<readonly IpAddress[]>) => (await addresses).map(formatIpAddress);

test("one question for all who want to know a name, and none for a while", async () => {
  const { source, service } = start();
  const both = [service.resolve("tv.test"), service.resolve("tv.test")];
  await until(() => source.asked.length > 0, WAIT_MS, "the question");
  source.last().answer();
  expect(await Promise.all(both.map(texts))).toEqual([["192.0.2.1"], ["192.0.2.1"]]);
  expect(await texts(service.resolve("tv.test"))).toEqual(["192.0.2.1"]);
  expect(source.asked.length).toBe(1);
});

test("a failure is remembered for a moment, and forgotten when servers change", async () => {
  const { source, service } = start();
  const first = codeOf(service.resolve("tv.test"));
  await until(() => source.asked.length > 0, WAIT_MS, "the question");
  source.last().fail("ENOTFOUND");
  expect(await first).toBe("ENOTFOUND");
  expect(await codeOf(service.resolve("tv.test"))).toBe("ENOTFOUND");
  expect(source.asked.length).toBe(1);
  service.memory.forgetFailures();
  const again = service.resolve("tv.test");
  await until(() => source.asked.length > 1, WAIT_MS, "another question");
  source.last().answer();
  expect(await texts(again)).toEqual(["192.0.2.1"]);
});

test("no answer in time is a failure", async () => {
  const { source, service } = start(20);
  expect(await codeOf(service.resolve("tv.test"))).toBe("ETIMEOUT");
  expect(source.last().isAborted()).toBe(true);
  expect(await codeOf(service.resolve("tv.test"))).toBe("ETIMEOUT");
  expect(source.asked.length).toBe(1);
});

test("whom nobody waits for is not asked about any more", async () => {
  const { source, service } = start();
  const one = new AbortController();
  const two = new AbortController();
  const answers = [one, two].map(({ signal }) =>
    service.resolve("tv.test", { signal }).catch((reason: unknown) => reason),
  );
  await until(() => source.asked.length > 0, WAIT_MS, "the question");
  one.abort("one has left");
  expect(await answers[0]).toBe("one has left");
  expect(source.last().isAborted()).toBe(false);
  two.abort("two has left");
  expect(await answers[1]).toBe("two has left");
  expect(source.last().isAborted()).toBe(true);
  // Nothing was found out.
  service.resolve("tv.test").catch(() => {});
  await until(() => source.asked.length === 2, WAIT_MS, "the next question");
});

describe("while many names are silent", () => {
  test("a client has no more than its share, and leaves the others theirs", async () => {
    const { source, service } = start();
    for (let i = 0; i < LIMIT; i++) service.resolve(`greedy${i}.test`, { client: "10.0.0.1" }).catch(() => {});
    await until(() => source.asked.length >= CLIENT_LIMIT, WAIT_MS, "its questions");
    const other = service.resolve("tv.test", { client: "10.0.0.2" });
    await until(() => source.last().name === "tv.test", WAIT_MS, "the other's question");
    expect(source.asked.length).toBe(CLIENT_LIMIT + 1);
    source.last().answer();
    expect(await texts(other)).toEqual(["192.0.2.1"]);
    source.asked[0]!.fail("ESERVFAIL");
    await until(() => source.last().name === `greedy${CLIENT_LIMIT}.test`, WAIT_MS, "its next question");
  });

  test("localhost does not wait, and a turn that comes too late says nothing of the name", async () => {
    const { source, service } = start(50);
    for (let i = 0; i < LIMIT; i++) service.resolve(`silent${i}.test`).catch(() => {});
    await until(() => source.asked.length === LIMIT, WAIT_MS, "the questions");
    const late = codeOf(service.resolve("tv.test"));
    expect(await texts(service.resolve("localhost"))).toEqual(["127.0.0.1"]);
    expect(await late).toBe("EBUSY");
    const again = service.resolve("tv.test");
    await until(() => source.last().name === "tv.test", WAIT_MS, "its question");
    source.last().answer();
    expect(await texts(again)).toEqual(["192.0.2.1"]);
  });

  test("a thousand may wait", async () => {
    const { service } = start();
    const codes: string[] = [];
    for (let i = 0; i < LIMIT + 1024; i++) codeOf(service.resolve(`silent${i}.test`)).then((code) => codes.push(code));
    expect(await codeOf(service.resolve("tv.test"))).toBe("EBUSY");
    expect(codes).toEqual([]);
  });
});

describe("addresses that were good before", () => {
  /** A name whose addresses are no longer fresh. */
  async function withStale() {
    const { source, service } = start();
    const first = service.resolve("tv.test");
    await until(() => source.asked.length > 0, WAIT_MS, "the question");
    source.last().answer();
    await first;
    const wasAt = performance.now;
    performance.now = () => wasAt.call(performance) + 301_000;
    return {
      source,
      service,
      [Symbol.dispose]: () => {
        performance.now = wasAt;
      },
    };
  }

  test("do when the server has failed", async () => {
    using stale = await withStale();
    const again = stale.service.resolve("tv.test");
    await until(() => stale.source.asked.length === 2, WAIT_MS, "another question");
    stale.source.last().fail("ESERVFAIL");
    expect(await texts(again)).toEqual(["192.0.2.1"]);
    expect(await texts(stale.service.resolve("tv.test"))).toEqual(["192.0.2.1"]);
    expect(stale.source.asked.length).toBe(2);
  });

  test("do when the server takes long, whose answer is then remembered", async () => {
    using stale = await withStale();
    expect(await texts(stale.service.resolve("tv.test"))).toEqual(["192.0.2.1"]);
    expect(stale.source.asked.length).toBe(2);
    expect(stale.source.last().isAborted()).toBe(false);
  });

  test("do not when the server says that there is no such name", async () => {
    using stale = await withStale();
    const again = codeOf(stale.service.resolve("tv.test"));
    await until(() => stale.source.asked.length === 2, WAIT_MS, "another question");
    stale.source.last().fail("ENOTFOUND");
    expect(await again).toBe("ENOTFOUND");
  });
});
