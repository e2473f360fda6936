import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hostCheck } from "../../src/http/host-check.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";

describe("a configured hostname", () => {
  test.each([
    ["tv.example", "tv.example"],
    ["tv.example", "tv.example:8080"],
    ["tv.example", "TV.Example"],
    ["TV.example:5140", "tv.example:80"],
    ["https://tv.example", "tv.example"],
    ["https://tv.example:8443/path/x", "tv.example"],
    ["HTTP://tv.example/", "tv.example:"],
    ["192.0.2.1:5140", "192.0.2.1"],
    ["[2001:db8::1]:5140", "[2001:db8::1]"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:db8::1", "[2001:DB8:0:0::1]:80"],
    ["http://[2001:db8::1]/x", "2001:db8:0:0:0:0:0:1"],
  ])("%j admits %j", (hostname, host) => {
    expect(hostCheck(parsePublicHost(hostname))(host)).toBeUndefined();
  });

  test.each([
    ["tv.example", "evil.example", "Host header mismatch (got: evil.example, expected: tv.example)"],
    ["https://TV.example:1/x", "Evil:5140", "Host header mismatch (got: evil, expected: tv.example)"],
    ["tv.example", "tv.example.evil", "Host header mismatch (got: tv.example.evil, expected: tv.example)"],
    ["tv.example", "tv.example@evil", "Host header mismatch (got: tv.example@evil, expected: tv.example)"],
    ["tv.example", "tv.example:x", "Host header mismatch (got: tv.example:x, expected: tv.example)"],
    ["tv.example", "tv.example, evil", "Host header mismatch (got: tv.example, evil, expected: tv.example)"],
    ["[2001:db8::1]:1", "[2001:db8::2]:1", "Host header mismatch (got: 2001:db8::2, expected: 2001:db8::1)"],
    ["tv.example", "", "missing Host header (expected: tv.example)"],
    ["tv.example", undefined, "missing Host header (expected: tv.example)"],
  ])("%j refuses %j", (hostname, host, problem) => {
    expect(hostCheck(parsePublicHost(hostname))(host)).toBe(problem);
  });

  test.each(["https://", "tv.example:99999", "h".repeat(256), "a b", "user@tv.example", "[2001:db8::1", "https:///x"])(
    "that cannot be read, %j, refuses every request",
    (hostname) => {
      for (const host of [hostname, "tv.example", undefined]) {
        expect(hostCheck(parsePublicHost(hostname))(host)).toBe(`configured hostname cannot be read: ${hostname}`);
      }
    },
  );
});

test("no bytes make it throw, or another name pass", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, (hostname, host) => {
      hostCheck(parsePublicHost(hostname))(host);
      expect(hostCheck(parsePublicHost("tv.example"))(`x${host}`)).toBeString();
    }),
  );
});
