/** What is learned of FCC servers, and for how long. */
import { expect, test } from "bun:test";
import { KnownServers } from "../../../src/upstream/fcc/known-servers.ts";
import type { Endpoint } from "../../../src/upstream/fcc/signalling.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";

const endpoint = (address: string, port = 8027): Endpoint => ({ address: parseIpAddress(address)!, port });
const FIRST = endpoint("10.0.0.1");
const TARGET = { server: endpoint("10.0.0.2"), dialect: "huawei" } as const;
const GROUP = { group: parseIpAddress("239.1.1.1")!, groupPort: 5000 };

test.each([
  [0, 10],
  [60, 60],
  [1e9, 3600],
])("a redirect of %i s is remembered for %i s", (said, seconds) => {
  const known = new KnownServers();
  known.redirected(FIRST, GROUP, TARGET, said, 1000);
  expect(known.redirectOf(FIRST, GROUP, 1000 + seconds * 1000 - 1)).toMatchObject(TARGET);
  expect(known.redirectOf(FIRST, GROUP, 1000 + seconds * 1000)).toBeUndefined();
});

test("a redirect is for one server, group and port", () => {
  const known = new KnownServers();
  known.redirected(FIRST, GROUP, TARGET, 60, 0);
  expect(known.redirectOf(endpoint("10.0.0.1", 8028), GROUP, 1)).toBeUndefined();
  expect(known.redirectOf(FIRST, { ...GROUP, groupPort: 5001 }, 1)).toBeUndefined();
  expect(known.redirectOf(FIRST, { ...GROUP, group: parseIpAddress("239.1.1.2")! }, 1)).toBeUndefined();
  known.forgetRedirect(FIRST, GROUP);
  expect(known.redirectOf(FIRST, GROUP, 1)).toBeUndefined();
});

test("256 redirects are remembered, the newest", () => {
  const known = new KnownServers();
  const group = (groupPort: number) => ({ ...GROUP, groupPort });
  for (let port = 1; port <= 257; port++) known.redirected(FIRST, group(port), TARGET, 60, 0);
  expect(known.redirectOf(FIRST, group(1), 1)).toBeUndefined();
  expect(known.redirectOf(FIRST, group(2), 1)).toMatchObject(TARGET);
});

test("three channels in a row without an answer are worth one warning, until there is an answer", () => {
  const known = new KnownServers();
  const channels = (count: number) => Array.from({ length: count }, () => known.unanswered(FIRST));
  expect(channels(2)).toEqual([false, false]);
  known.answered(FIRST, "telecom");
  expect(channels(5)).toEqual([false, false, true, false, false]);
  known.answered(FIRST, "huawei");
  expect(channels(3)).toEqual([false, false, true]);
  expect(known.dialectOf(FIRST)).toBe("huawei");
});
