/** The C library is asked for one name at a time. */
import { expect, test } from "bun:test";
import { SystemResolver } from "../../src/system/system-resolver.ts";
import { formatIpAddress } from "../../src/wire/ip/address.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 10_000;
const NEVER = new AbortController().signal;
const MAX_WAITING = 32;

function start() {
  const asked: { name: string; answer(texts: readonly string[]): void }[] = [];
  const resolver = new SystemResolver((name) => {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    asked.push({ name, answer: resolve });
    return promise;
  });
  return { asked, resolver };
}

test("one after the other, and none for nobody", async () => {
  const { asked, resolver } = start();
  const abort = new AbortController();
  const first = resolver.resolve("a.local", NEVER);
  const left = resolver.resolve("b.local", abort.signal).catch((reason: unknown) => reason);
  const third = resolver.resolve("c.local", NEVER);
  expect(asked.map(({ name }) => name)).toEqual(["a.local"]);
  abort.abort("left");
  expect(await left).toBe("left");
  asked[0]!.answer(["192.0.2.1"]);
  expect((await first).addresses.map(formatIpAddress)).toEqual(["192.0.2.1"]);
  await until(() => asked.length === 2, WAIT_MS, "the next name");
  expect(asked[1]!.name).toBe("c.local");
  asked[1]!.answer([]);
  expect(third).rejects.toThrow("ENODATA");
});

test("whoever leaves while the library looks waits no longer", async () => {
  const { resolver } = start();
  const abort = new AbortController();
  const answer = resolver.resolve("a.local", abort.signal).catch((reason: unknown) => reason);
  abort.abort("left");
  expect(await answer).toBe("left");
});

test("no more wait than can be served", () => {
  const { resolver } = start();
  for (let i = 0; i <= MAX_WAITING; i++) resolver.resolve(`${i}.local`, NEVER).catch(() => {});
  expect(() => resolver.resolve("late.local", NEVER)).toThrow("EBUSY");
});

test("the real one knows localhost", async () => {
  const { addresses } = await new SystemResolver().resolve("localhost", NEVER);
  expect(addresses.map(formatIpAddress)).toContain("127.0.0.1");
});
