/** Questions to DNS servers, asked over real sockets. */
import { afterEach, expect, test } from "bun:test";
import { inOrder, NameError, queryName } from "../../src/system/name-query.ts";
import type { SearchRules } from "../../src/wire/dns/resolver-config.ts";
import { formatIpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import { DnsServer, TYPE } from "../fakes/dns-server.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 20_000;
const RULES = { search: [], ndots: 1 };
const NEVER = new AbortController().signal;

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

async function serverOf(answer: DnsServer["answer"]): Promise<DnsServer> {
  return resources.use(await DnsServer.open(answer));
}

function query(server: DnsServer, name: string, rules: SearchRules = RULES, signal = NEVER) {
  return queryName(name, rules, signal, [server.address]);
}

test("addresses and how long they hold", async () => {
  const server = await serverOf(() => ({ addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"], ttlS: 77 }));
  const { addresses, ttlS } = await query(server, "tv.test");
  const texts = addresses.map(formatIpAddress);
  expect(texts.filter((text) => !text.includes(":"))).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(ttlS).toBe(77);
});

test("each question comes from a port of its own", async () => {
  const server = await serverOf(({ type }) => ({ addresses: type === TYPE.a ? ["192.0.2.1"] : [] }));
  for (let i = 0; i < 6; i++) await query(server, "tv.test");
  expect(server.ports.size).toBeGreaterThanOrEqual(5);
});

test("a server that never answers for IPv6 holds up nothing", async () => {
  const server = await serverOf(({ type }) => (type === TYPE.a ? { addresses: ["192.0.2.1"] } : "silent"));
  const { addresses } = await query(server, "tv.test");
  expect(addresses.map(formatIpAddress)).toEqual(["192.0.2.1"]);
});

test("domains are searched", async () => {
  const server = await serverOf(({ name, type }) =>
    name === "nas.home" ? { addresses: type === TYPE.a ? ["192.0.2.1"] : [] } : "unknown",
  );
  const { addresses } = await query(server, "nas", { search: ["lan", "home"], ndots: 1 });
  expect(addresses.map(formatIpAddress)).toEqual(["192.0.2.1"]);
  expect(server.asked("nas.lan")).toBeGreaterThan(0);
  expect(server.asked("nas")).toBe(0);
});

test("an unknown name", async () => {
  const server = await serverOf(() => "unknown");
  const failure = await query(server, "tv.test").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NameError);
  expect((failure as NameError).code).toBe("ENOTFOUND");
});

test("whoever gives up waits no longer, and asks no more", async () => {
  const server = await serverOf(() => "silent");
  const abort = new AbortController();
  const answer = query(server, "tv.test", { search: ["lan"], ndots: 1 }, abort.signal).catch((error: unknown) => error);
  await until(() => server.asked("tv.test") > 0, WAIT_MS, "the question");
  abort.abort("nobody waits");
  expect(await answer).toBe("nobody waits");
  expect(server.asked("tv.test.lan")).toBe(0);
});

test.each([
  [[], ["10.0.0.1", "2001:db8::1", "fd00::1"]],
  [["global"], ["2001:db8::1", "10.0.0.1", "fd00::1"]],
  [["local"], ["fd00::1", "10.0.0.1", "2001:db8::1"]],
] as const)("with addresses of the kinds %j the order is %j", (own, order) => {
  const addresses = ["2001:db8::1", "10.0.0.1", "fd00::1"].map((text) => parseIpAddress(text)!);
  expect(inOrder(addresses, new Set(own)).map(formatIpAddress)).toEqual([...order]);
});
