import { expect, test } from "bun:test";
import { isAllowedHost, parseAllowedHost } from "../../../src/wire/url/allowed-hosts.ts";

test.each([
  ["tv.example", "host", "tv.example", undefined],
  ["TV.Example.:5140", "host", "tv.example", 5140],
  ["[2001:DB8::1]:80", "host", "2001:db8::1", 80],
  [".Example", "domain", "example", undefined],
  ["*", "any", "", undefined],
] as const)("%s is of the kind %s", (text, kind, host, port) => {
  expect(parseAllowedHost(text)).toEqual({ text, kind, host, port });
});

test.each(["", ".", "..a", ".a:80", "*.a", "http://a", "a/b", "a b", "a:0", "a:x", "ä", ":80", "x".repeat(256)])(
  "%j is none",
  (text) => {
    expect(parseAllowedHost(text)).toBeUndefined();
  },
);

test.each([
  ["tv.example", "tv.example", true],
  ["tv.example:80", "tv.example", true],
  ["tv.example", "x.tv.example", false],
  [".example", "example", true],
  [".example", "a.b.example", true],
  [".example", "evilexample", false],
  ["*", "evil", true],
  ["*", "", true],
] as const)("%s allows %j: %p", (text, host, isAllowed) => {
  expect(isAllowedHost(host, [parseAllowedHost("other")!, parseAllowedHost(text)!])).toBe(isAllowed);
});
