import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAuthority } from "../../../src/wire/url/authority.ts";
import { comparableHost, parsePublicHost } from "../../../src/wire/url/public-host.ts";

describe("parsePublicHost", () => {
  test.each([
    ["tv.example", undefined, { host: "tv.example", port: undefined }, ""],
    ["TV.example:80", undefined, { host: "TV.example", port: 80 }, ""],
    ["[2001:db8::1]:80", undefined, { host: "2001:db8::1", port: 80 }, ""],
    ["https://tv.example", "https", { host: "tv.example", port: undefined }, ""],
    ["http://tv.example:80/x/y", "http", { host: "tv.example", port: 80 }, "/x/y"],
    ["tv.example/x", undefined, { host: "tv.example", port: undefined }, "/x"],
    ["h".repeat(255), undefined, { host: "h".repeat(255), port: undefined }, ""],
    ["h".repeat(256), undefined, undefined, ""],
    ["https://", "https", undefined, ""],
    ["user@tv.example", undefined, undefined, ""],
    ["tv.example:99999", undefined, undefined, ""],
    ["", undefined, undefined, ""],
  ])("of %j", (text, scheme, authority, path) => {
    expect(parsePublicHost(text)).toEqual({ text, scheme, authority, path });
  });

  test("any text comes back as it was given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { authority, path, ...given } = parsePublicHost(text);
        expect(given.text).toBe(text);
        if (authority) expect(text).toContain(authority.host);
        expect(path === "" || path.startsWith("/")).toBe(true);
      }),
    );
  });
});

test.each([
  ["TV.example:80", "tv.example"],
  ["[2001:DB8:0::1]:5140", "2001:db8::1"],
  ["192.0.2.1", "192.0.2.1"],
])("comparableHost of %s is %s", (text, host) => {
  expect(comparableHost(parseAuthority(text))).toBe(host);
});

test("what cannot be read has nothing to compare", () => {
  expect(comparableHost(parseAuthority("a b"))).toBeUndefined();
});
