import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  hasOtherNameServices,
  hostName,
  isLocalhost,
  isMulticastDnsName,
  parseSearchRules,
  queriedNames,
} from "../../../src/wire/dns/resolver-config.ts";

test.each([
  ["nameserver 10.0.0.1", { search: [], ndots: 1 }],
  ["domain lan\nnameserver 10.0.0.1\noptions timeout:1 ndots:2", { search: ["lan"], ndots: 2 }],
  ["search a.\tb.c .\n", { search: ["a", "b.c"], ndots: 1 }],
  ["search a\ndomain b x", { search: ["b"], ndots: 1 }],
  ["search 1 2 3 4 5 6 7 8", { search: ["1", "2", "3", "4", "5", "6"], ndots: 1 }],
  ["options ndots:999999999 ndots:x", { search: [], ndots: 15 }],
  ["# search a\n;search b\nsearching c", { search: [], ndots: 1 }],
])("search rules of %j", (text, rules) => {
  expect(parseSearchRules(text)).toEqual(rules);
});

test.each([
  ["hosts: files dns", false],
  ["passwd: nis\nhosts:\tfiles [!UNAVAIL=return mdns] dns # mdns", false],
  ["# hosts: mdns\n", false],
  ["", false],
  ["hosts: files mdns4_minimal [NOTFOUND=return] dns", true],
  ["hosts: files dns myhostname", true],
])("other name services in %j: %p", (text, expected) => {
  expect(hasOtherNameServices(text)).toBe(expected);
});

test.each([
  ["NAS.Lan", "nas.lan"],
  ["a_b.example.", "a_b.example."],
  ["x".repeat(63), "x".repeat(63)],
  ["x".repeat(64), undefined],
  [`${"a.".repeat(126)}b`, `${"a.".repeat(126)}b`],
  [`${"a.".repeat(127)}b`, undefined],
  ["", undefined],
  [".", undefined],
  ["a..b", undefined],
  ["-a", undefined],
  ["a b", undefined],
  ["a\u0000b", undefined],
  ["127.1", undefined],
  ["x.0x7f", undefined],
  ["2130706433", undefined],
  ["4.example", "4.example"],
])("%j is the host name %j", (text, name) => {
  expect(hostName(text)).toBe(name);
});

describe("what is asked for", () => {
  const rules = { search: ["lan", "example"], ndots: 1 };
  test.each([
    ["nas", ["nas.lan", "nas.example", "nas"]],
    ["nas.", ["nas"]],
    ["tv.test", ["tv.test", "tv.test.lan", "tv.test.example"]],
  ])("%s", (name, names) => {
    expect(queriedNames(name, rules)).toEqual(names);
  });

  test("is never too long, and ends with or is the name", () => {
    const name = fc.stringMatching(/^[a-z]{1,20}(\.[a-z]{1,20}){0,10}\.?$/);
    const search = fc.array(fc.stringMatching(/^[a-z.]{1,200}$/), { maxLength: 6 });
    fc.assert(
      fc.property(name, search, fc.nat(15), (host, domains, ndots) => {
        for (const asked of queriedNames(host, { search: domains, ndots }))
          expect(asked.length).toBeLessThanOrEqual(253);
      }),
    );
  });
});

test("names that need no server", () => {
  expect(["localhost", "a.localhost.", "localhost.lan", "xlocalhost"].map(isLocalhost)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(["tv.local", "tv.local.", "local", "tv.localx"].map(isMulticastDnsName)).toEqual([true, true, false, false]);
});

test("any text is read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      parseSearchRules(text);
      hasOtherNameServices(text);
      hostName(text);
    }),
  );
});
