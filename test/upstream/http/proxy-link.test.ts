import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LinkRules, leadsElsewhere, proxyLink, proxyLocation } from "../../../src/upstream/http/proxy-link.ts";
import { MAX_TARGET_BYTES } from "../../../src/wire/http/request.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { splitTarget } from "../../../src/wire/url/label.ts";
import { formatProxyUrl, type ProxyUrl, parseProxyUrl } from "../../../src/wire/url/proxy-url.ts";
import { queryParameter } from "../../../src/wire/url/query.ts";

const RULES: LinkRules = { base: "http://r:5140/", upstream: "http://u:81/a/b.m3u8?x=/y", proxyHttps: false };
const link = (reference: string, more: Partial<LinkRules> = {}) => proxyLink(reference, { ...RULES, ...more });

describe("a link", () => {
  test.each([
    ["http://h/p?q#f", "http/h/p?q#f"],
    ["HTTP://H:80/a/../b//c|{x}%zz\xe4", "http/H:80/a/../b//c|{x}%zz\xe4"],
    ["http://[::1]:8/p", "http/[::1]:8/p"],
    ["http://h", "http/h"],
    ["/p", "http/u:81/p"],
    ["p.ts", "http/u:81/a/p.ts"],
    ["../p?a=../b", "http/u:81/p?a=../b"],
    ["?q", "http/u:81/a/b.m3u8?q"],
    ["//h:82/p", "http/h:82/p"],
    ["//h", "http/h"],
  ])("%j leads through the relay", (reference, rest) => {
    expect(link(reference)).toBe(`http://r:5140/${rest}`);
    expect(link(reference, { base: "/tv/" })).toBe(`/tv/${rest}`);
  });

  test.each([
    "",
    "https://h/p",
    "HTTPS://h/p",
    "rtsp://h/p",
    "udp://@239.0.0.1:1",
    "data:,x",
    "skd://x",
    "mailto:a@b",
    "http:p",
  ])("%j stays", (reference) => {
    expect(link(reference)).toBeUndefined();
    expect(link(reference, { encodedToken: "t" })).toBeUndefined();
  });

  test("may be https where that is proxied", () => {
    expect(link("HTTPS://h/p", { proxyHttps: true })).toBe("http://r:5140/https/h/p");
    expect(link("http://h/p", { proxyHttps: true })).toBe("http://r:5140/http/h/p");
  });

  test("without scheme goes the way of its response", () => {
    const upstream = "https://u/a/b";
    expect(link("c", { upstream })).toBe("http://r:5140/https/u/a/c");
    expect(link("//h/c", { upstream })).toBe("http://r:5140/https/h/c");
    expect(link("https://u/c", { upstream })).toBeUndefined();
  });

  test("stays when the relay would refuse its target", () => {
    const reference = (length: number) => `http://h/${"a".repeat(length - "/http/h/".length)}`;
    expect(link(reference(MAX_TARGET_BYTES))).toEndWith("aaa");
    expect(link(reference(MAX_TARGET_BYTES + 1))).toBeUndefined();
    expect(link(reference(MAX_TARGET_BYTES), { base: "/" })).toEndWith("aaa");
    expect(link(reference(MAX_TARGET_BYTES), { base: "/a/" })).toBeUndefined();
    expect(link(reference(MAX_TARGET_BYTES - 1), { encodedToken: "t" })).toBeUndefined();
  });
});

test.each([
  ["p", "p?r2h-token=T%20"],
  ["p?x", "p?x&r2h-token=T%20"],
  ["p?", "p?&r2h-token=T%20"],
  ["p#f?g", "p?r2h-token=T%20#f?g"],
  ["p$HD", "p?r2h-token=T%20$HD"],
  ["p?x=1$HD", "p?x=1&r2h-token=T%20$HD"],
  ["p$$HD", "p$?r2h-token=T%20$HD"],
  ["p$HD#f", "p?r2h-token=T%20$HD#f"],
  ["p$#f", "p$?r2h-token=T%20#f"],
  ["p?x=1#f$HD", "p?x=1&r2h-token=T%20#f$HD"],
  ["p?x=$a&y=\x24{b}", "p?x=$a&y=\x24{b}&r2h-token=T%20"],
  ["$a/p$", "$a/p$?r2h-token=T%20"],
  ["p$HD$", "p?r2h-token=T%20$HD$"],
  ["p?R2H-Token=x&y", "p?R2H-Token=x&y"],
  ["p?xr2h-token=x", "p?xr2h-token=x&r2h-token=T%20"],
  ["p#?r2h-token=x", "p?r2h-token=T%20#?r2h-token=x"],
])("the token is added to %j", (reference, rest) => {
  expect(link(reference, { encodedToken: "T%20" })).toBe(`http://r:5140/http/u:81/a/${rest}`);
});

test.each([
  ["http://u:81/c", false],
  ["//U:81/c", false],
  ["c?d", false],
  ["", false],
  ["http://u/c", true],
  ["https://u:81/c", true],
  ["https://u/c", true],
  ["http://v:81/c", true],
  ["http://[/", true],
])("%j leads to another server: %p", (reference, isElsewhere) => {
  expect(leadsElsewhere(reference, RULES)).toBe(isElsewhere);
});

test("the step to TLS leads to the same server, the step back does not", () => {
  const at = (upstream: string) => ({ ...RULES, upstream });
  expect(leadsElsewhere("https://u/c", at("http://u/"))).toBe(false);
  expect(leadsElsewhere("http://u/c", at("https://u/"))).toBe(true);
  expect(leadsElsewhere("https://u:444/c", at("http://u/"))).toBe(true);
});

test("links say that another server has sent the client here", () => {
  const rules = { isRedirected: true, encodedToken: "t" };
  expect(link("p.ts#x", rules)).toBe("http://r:5140/http/u:81/a/p.ts?r2h-redirected=1&r2h-token=t#x");
  expect(link("p.ts?r2h-redirected=1$HD", { isRedirected: true })).toBe(
    "http://r:5140/http/u:81/a/p.ts?r2h-redirected=1$HD",
  );
});

describe("Location", () => {
  const rules = { ...RULES, base: "/", encodedToken: "t" };

  test("is rewritten in redirects only", () => {
    for (const status of [301, 302, 303, 307, 308]) {
      expect(proxyLocation(status, "http://h/p", rules)).toBe("/http/h/p?r2h-token=t");
      expect(proxyLocation(status, "c?d", rules)).toBe("/http/u:81/a/c?d&r2h-token=t");
    }
    for (const status of [200, 201, 300, 304, 404])
      expect(proxyLocation(status, "http://h/p", rules)).toBe("http://h/p");
  });

  test.each(["https://h/p", "rtsp://h/p", ""])("%j stays", (location) => {
    expect(proxyLocation(302, location, rules)).toBe(location);
  });
});

test("every link leads to what it named", () => {
  const url = fc.record({
    scheme: fc.constantFrom<ProxyUrl["scheme"]>("http", "https"),
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65535 }),
    path: fc.stringMatching(/^\/[!-"%->@-~\x80-\xff]{0,30}(\?[!-"%-~\x80-\xff]{0,30})?$/),
  });
  fc.assert(
    fc.property(url, (wanted) => {
      const target = link(formatProxyUrl(wanted), { base: "/", proxyHttps: true })!;
      const prefix = `/${wanted.scheme}/`;
      expect(target).toStartWith(prefix);
      expect(parseProxyUrl(target.slice(prefix.length), wanted.scheme)).toEqual({ kind: "url", url: wanted });
    }),
  );
});

test("the router finds the token in every link, label or not", () => {
  const unit = fc.constantFrom("/", "$", "?", "#", "{", "}", "a", "&", "=", ".");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 15 }), (text) => {
      const [target = ""] = link(`http://h/${text}`, { base: "/", encodedToken: "t" })!.split("#");
      expect(queryParameter(splitTarget(asByteString(target)).query, "r2h-token")).toBe<unknown>("t");
    }),
    { numRuns: 3000 },
  );
});

test("no text makes it throw", () => {
  const near = fc.string({ unit: fc.constantFrom("/", "$", "?", "#", ":", "{", "a", "&"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), fc.string({ unit: "binary" }), (reference, token) => {
      link(reference, { encodedToken: token });
      proxyLocation(302, reference, { ...RULES, encodedToken: token });
    }),
  );
});

describe("user and password of the client's own URL", () => {
  test.each<[reference: string, link: string]>([
    ["a.ts", "/http/u:p@h/d/a.ts"],
    ["/a.ts?b#c", "/http/u:p@h/a.ts?b#c"],
    ["http://H:80/a.ts", "/http/u:p@H:80/a.ts"],
    ["//h/a.ts", "/http/u:p@h/a.ts"],
    ["https://h/a.ts", "/https/u:p@h/a.ts"],
    ["http://h:81/a.ts", "/http/h:81/a.ts"],
    ["http://other/a.ts", "/http/other/a.ts"],
    ["http://v:w@h/a.ts", "/http/v:w@h/a.ts"],
    ["http://h.evil/a.ts?@h", "/http/h.evil/a.ts?@h"],
  ])("%s", (reference, link) => {
    const rules = { base: "/", upstream: "http://h/d/x.m3u8", userinfo: "u:p", proxyHttps: true };
    expect(proxyLink(reference, rules)).toBe(link);
  });
});
