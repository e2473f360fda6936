import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hasLeave, initiatorOf, isChanging, isForeignEmbed, type OwnOrigins } from "../../src/http/request-origin.ts";
import type { HeaderField } from "../../src/wire/http/header-fields.ts";
import { parseAllowedHost } from "../../src/wire/url/allowed-hosts.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";

type Fields = Readonly<Record<string, string>>;
const fields = (headers: Fields): HeaderField[] => Object.entries(headers);
const OPEN: OwnOrigins = { hostname: undefined, allowedHosts: [], trustForwarded: false };
const allowed = (...texts: string[]) => ({ allowedHosts: texts.map((text) => parseAllowedHost(text)!) });
const named = (hostname: string) => ({ hostname: parsePublicHost(hostname) });
const initiator = (headers: Fields, own: Partial<OwnOrigins> = {}) => initiatorOf(fields(headers), { ...OPEN, ...own });

describe("what a browser says of the page", () => {
  test.each([
    ["same-origin", "own"],
    ["none", "own"],
    // Another port on the same host, or another name below the same domain.
    ["same-site", "foreign"],
    ["cross-site", "foreign"],
    ["Same-Origin", "foreign"],
    ["same-origin, cross-site", "foreign"],
    ["", "foreign"],
  ] as const)("%j: %s, whatever the origin is called", (site, expected) => {
    for (const origin of ["http://nas:5140", "http://evil.example", "null"]) {
      expect(initiator({ Host: "nas:5140", Origin: origin, "Sec-Fetch-Site": site })).toBe(expected);
    }
  });
});

describe("without that, the origin must be our own", () => {
  test("and a program that names none is none of anybody's pages", () => {
    expect(initiator({ Host: "nas:5140" })).toBe("program");
    expect(initiator({ Host: "nas:5140", Referer: "http://evil.example/" })).toBe("program");
    expect(initiator({})).toBe("program");
  });

  test.each([
    ["nas:5140", "http://nas:5140"],
    ["NAS:5140", "http://nas:5140"],
    ["nas", "http://nas"],
    ["nas:80", "http://nas"],
    ["nas.lan.:5140", "http://nas.lan:5140"],
    ["tv.example", "https://tv.example"],
    ["tv.example:443", "https://tv.example"],
    ["[2001:db8::1]:5140", "http://[2001:DB8:0::1]:5140"],
    ["[2001:db8::1]", "http://[2001:db8::1]"],
    ["192.0.2.1:5140", "http://192.0.2.1:5140"],
  ])("Host %s has pages of %s", (host, origin) => {
    expect(initiator({ Host: host, Origin: origin })).toBe("own");
  });

  test.each([
    ["nas:5140", "http://nas:8123"],
    ["nas:5140", "http://nas"],
    ["nas:5140", "http://evil.example:5140"],
    ["nas:5140", "http://nas.evil.example:5140"],
    ["nas:5140", "http://nas:5140@evil.example"],
    ["nas:5140", "http://evil.example/http://nas:5140"],
    ["nas:5140", "http://nas:5140 http://evil.example"],
    ["nas:5140", "nas:5140"],
    ["nas:5140", "chrome-extension://nas:5140"],
    ["nas:5140", "null"],
    ["nas:5140", ""],
    ["null", "null"],
    ["nas", "http://nas:443"],
    ["[2001:db8::1]:5140", "http://[2001:db8::2]:5140"],
    ["a b", "http://a b"],
  ])("Host %s has no pages of %j", (host, origin) => {
    expect(initiator({ Host: host, Origin: origin })).toBe("foreign");
    expect(initiator({ Origin: origin })).toBe("foreign");
  });

  test.each([
    // A proxy that puts its own name for us in `Host`.
    [{ trustForwarded: true }, { "X-Forwarded-Host": "tv.example" }, "https://tv.example", "own"],
    [{ trustForwarded: true }, { "X-Forwarded-Host": "tv.example:8443, inner" }, "https://tv.example:8443", "own"],
    [{ trustForwarded: true }, { "X-Forwarded-Host": "tv.example" }, "https://evil.example", "foreign"],
    [{}, { "X-Forwarded-Host": "tv.example" }, "https://tv.example", "foreign"],
    [
      { trustForwarded: true },
      { "X-Forwarded-Host": "tv.example", "X-Forwarded-Proto": "https" },
      "http://tv.example",
      "foreign",
    ],
    [
      { trustForwarded: true },
      { "X-Forwarded-Host": "tv.example", "X-Forwarded-Proto": "HTTPS" },
      "https://tv.example",
      "own",
    ],
    [named("tv.example"), {}, "https://tv.example", "own"],
    [named("https://tv.example:8443/x"), {}, "https://tv.example:8443", "own"],
    [named("https://tv.example"), {}, "http://tv.example", "foreign"],
    [named("a b"), {}, "http://a b", "foreign"],
    [allowed("tv.example"), {}, "https://tv.example", "own"],
    [allowed("tv.example"), {}, "http://tv.example:8123", "foreign"],
    [allowed("tv.example:8123"), {}, "http://tv.example:8123", "own"],
    // Names below a domain need not all be ours.
    [allowed(".example"), {}, "https://blog.example", "foreign"],
    [allowed(".example"), {}, "https://example", "foreign"],
    [allowed("*"), {}, "https://evil.example", "foreign"],
  ] as const)("with %j and %j, %s is %s", (own, headers, origin, expected) => {
    expect(initiator({ Host: "127.0.0.1:5140", ...headers, Origin: origin }, own)).toBe(expected);
  });
});

test.each([
  ["GET", false],
  ["HEAD", false],
  ["OPTIONS", false],
  ["POST", true],
  ["DELETE", true],
  ["get", true],
  ["ANYTHING", true],
])("%s may change something: %p", (method, expected) => {
  expect(isChanging(method)).toBe(expected);
});

test.each([
  ["cross-site", "no-cors", "image", true],
  ["cross-site", "no-cors", "video", true],
  ["cross-site", "cors", "empty", true],
  ["cross-site", "navigate", "iframe", true],
  ["cross-site", "navigate", "embed", true],
  ["cross-site", "navigate", "object", true],
  ["cross-site", "navigate", "frame", true],
  ["cross-site", "navigate", "fencedframe", true],
  ["cross-site", "navigate", "document", false],
  ["same-site", "no-cors", "image", false],
  ["same-origin", "no-cors", "video", false],
  ["none", "navigate", "document", false],
])("%s, %s, %s is a part of a foreign page: %p", (site, mode, dest, expected) => {
  const headers = { "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest };
  expect(isForeignEmbed(fields(headers))).toBe(expected);
});

test("what says nothing of itself is a part of no page", () => {
  expect(isForeignEmbed([])).toBe(false);
  expect(isForeignEmbed(fields({ Referer: "http://evil.example/", Origin: "http://evil.example" }))).toBe(false);
});

test.each([
  [undefined, { Origin: "https://app.example" }, false],
  ["*", {}, true],
  ["https://app.example", { Origin: "https://app.example" }, true],
  ["https://App.example:443/", { Origin: "https://app.example" }, true],
  ["https://app.example", { Referer: "https://app.example/watch?x=1" }, true],
  ["https://app.example", { Origin: "null", Referer: "https://app.example/" }, false],
  ["https://app.example", { Origin: "http://app.example" }, false],
  ["https://app.example", { Origin: "https://evil.example" }, false],
  ["https://app.example", {}, false],
  ["null", { Origin: "null" }, false],
  ["not an origin", { Origin: "not an origin" }, false],
] as const)("with %p, %j has leave: %p", (given, headers, expected) => {
  expect(hasLeave(fields(headers), given)).toBe(expected);
});

test("no bytes make it throw, or a foreign origin ours", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, (host, origin, forwarded) => {
      const headers = { Host: host, Origin: `${origin}.evil`, "X-Forwarded-Host": forwarded };
      expect(initiator(headers, { trustForwarded: true })).toBe("foreign");
      hasLeave(fields({ Origin: origin, Referer: host }), forwarded);
    }),
  );
});
