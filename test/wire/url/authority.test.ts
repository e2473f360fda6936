import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Authority, formatAuthority, isWrittenHost, parseAuthority } from "../../../src/wire/url/authority.ts";

test.each<[text: string, host: string, port: number | undefined]>([
  ["h", "h", undefined],
  ["Cdn_1.Example.org:8080", "Cdn_1.Example.org", 8080],
  ["10.0.0.1:1", "10.0.0.1", 1],
  ["h:65535", "h", 65535],
  [`${"h".repeat(255)}:1`, "h".repeat(255), 1],
  ["h:0080", "h", 80],
  ["h:", "h", undefined],
  ["[2001:DB8::1]", "2001:DB8::1", undefined],
  ["[2001:db8::1]:8080", "2001:db8::1", 8080],
  ["[::1]:", "::1", undefined],
  ["2001:db8::1", "2001:db8::1", undefined],
  ["::1:8080", "::1:8080", undefined],
])("%j is host %j and port %p", (text, host, port) => {
  expect(parseAuthority(text)).toEqual({ host, port });
});

test.each([
  "",
  "h".repeat(256),
  ":80",
  "h:0",
  "h:65536",
  "h:99999999999999999999",
  "h:8o",
  "h:-1",
  "h: 80",
  "user@h",
  "user:pass@h:80",
  "a b",
  "a/b",
  "caf\xc3\xa9",
  "h\n",
  "[]",
  "[h]",
  "[10.0.0.1]",
  "[::1",
  "[::1]8080",
  "[::1]:x",
  "[::1]:0",
  "[fe80::1%eth0]",
  "fe80::1%eth0",
  "a:b:c",
  "1:2:3",
])("%j cannot be connected to", (text) => {
  expect(parseAuthority(text)).toBeUndefined();
});

test("an emitted authority parses to itself", () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
  fc.assert(
    fc.property(fc.record({ host, port }), (authority: Authority) => {
      expect(parseAuthority(formatAuthority(authority))).toEqual(authority);
    }),
  );
});

test("no text makes it throw", () => {
  const near = fc.string({ unit: fc.constantFrom("[", "]", ":", "a", "1", ".", "%", "@"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      parseAuthority(text);
    }),
  );
});

test.each([
  "h",
  "H_1.lan:80",
  "h:",
  "[2001:db8::1]:5140",
  "2001:db8::1",
  "[fe80::1%eth0.2]",
  "[fe80::1%25eth0]",
  "t\xc3\xbc.lan",
  "%C3",
])("a client may call us %j", (host) => {
  expect(isWrittenHost(host)).toBe(true);
});

test.each([
  "",
  "h".repeat(256),
  "h:123456",
  "a b",
  'h"',
  "h/x",
  "h?x",
  "h#x",
  "u@h",
  "a,b",
  "[h]",
  "[::1",
  "::1]",
  "h:1:2",
  "[::1]x",
])("but not %j", (host) => {
  expect(isWrittenHost(host)).toBe(false);
});
