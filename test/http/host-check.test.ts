import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hostCheck, isOwnHost, type OwnHosts } from "../../src/http/host-check.ts";
import { parseAllowedHost } from "../../src/wire/url/allowed-hosts.ts";
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

test("further names are admitted beside the configured one", () => {
  const check = hostCheck(parsePublicHost("tv.example"), [
    parseAllowedHost("nas.example")!,
    parseAllowedHost(".home")!,
  ]);
  for (const host of ["tv.example", "nas.example:5140", "NAS.example.", "a.home"]) expect(check(host)).toBeUndefined();
  for (const host of ["evil.example", "a b", ""]) expect(check(host)).toBeString();
});

describe("without a token, only we are called", () => {
  const OWN: OwnHosts = {
    hostname: parsePublicHost("https://tv.example:8443/x"),
    allowedHosts: [parseAllowedHost("relay.example:5140")!, parseAllowedHost(".home.example")!],
    machineName: "Router7.isp.example",
  };
  test.each([
    ...["192.0.2.1", "192.0.2.1:5140", "[2001:db8::1]:5140", "2001:db8::1", "203.0.113.9"],
    ...["localhost:5140", "LOCALHOST", "localhost.", "nas", "NAS:5140", "nas.", "nas_1"],
    ...["nas.local", "nas.LAN:5140", "nas.lan.", "a.b.home.arpa", "nas.internal"],
    ...["tv.example", "tv.example:5140", "relay.example", "x.home.example", "home.example"],
    ...["router7.isp.example", "ROUTER7.isp.example.:80"],
  ])("%s", (host) => {
    expect(isOwnHost(host, OWN)).toBe(true);
  });

  test.each([
    ...["evil.example", "evil.example:5140", "local.evil.example", "nas.local.evil.example", "x.tv.example"],
    ...["192.0.2.1.evil.example", "0x7f.1", "127.1", "evil.example..", "..", ".", "a b", "nas@evil", "[::1]evil"],
    ...["evillan", "evil.arpa", "notinternal.example"].map((name) => (name.includes(".") ? name : `${name}.example`)),
  ])("but not %s", (host) => {
    expect(isOwnHost(host, OWN)).toBe(false);
  });

  test("but whatever name is allowed by *", () => {
    const any = { ...OWN, allowedHosts: [parseAllowedHost("*")!] };
    for (const host of ["evil.example", "a b"]) expect(isOwnHost(host, any)).toBe(true);
  });

  test("and no bytes make it throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (host) => {
        expect(isOwnHost(`${host}.evil.example`, OWN)).toBe(false);
      }),
    );
  });
});
