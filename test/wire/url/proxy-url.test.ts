import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CONSUMED_PARAMETERS } from "../../../src/upstream/own-parameters.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import {
  authorityOf,
  formatProxyUrl,
  type ProxyScheme,
  type ProxyUrl,
  parseProxyUrl,
  takeParameters,
} from "../../../src/wire/url/proxy-url.ts";
import { queryParameter } from "../../../src/wire/url/query.ts";

const MAX_PATH_BYTES = 2047;

function parse(rest: string, scheme?: ProxyScheme): ProxyUrl {
  const outcome = parseProxyUrl(rest, scheme);
  if (outcome.kind !== "url") throw new Error(`${rest}: ${outcome.status}`);
  return outcome.url;
}

describe("what follows /http/", () => {
  test.each<[rest: string, host: string, port: number, path: string, authority: string]>([
    ["h", "h", 80, "/", "h"],
    ["h/", "h", 80, "/", "h"],
    ["h:80/x", "h", 80, "/x", "h"],
    ["h:443/x", "h", 443, "/x", "h:443"],
    ["h:8080/a/../b//c?x=%zz&y=/?", "h", 8080, "/a/../b//c?x=%zz&y=/?", "h:8080"],
    ["h:8080?x=1", "h", 8080, "/?x=1", "h:8080"],
    ["h?", "h", 80, "/?", "h"],
    ['h/\xe4{utc}|"$HD', "h", 80, '/\xe4{utc}|"$HD', "h"],
    ["[2001:db8::1]:8080/x", "2001:db8::1", 8080, "/x", "[2001:db8::1]:8080"],
    ["2001:db8::1/x", "2001:db8::1", 80, "/x", "[2001:db8::1]"],
    ["::1", "::1", 80, "/", "[::1]"],
  ])("%j", (rest, host, port, path, authority) => {
    const url = parse(rest);
    expect(url).toEqual({ scheme: "http", host, port, path });
    expect(authorityOf(url)).toBe(authority);
    expect(formatProxyUrl(url)).toBe(`http://${authority}${path}`);
  });

  test.each<[rest: string, status: 404 | 503]>([
    ["", 404],
    ["/", 404],
    ["/x", 404],
    ["?x=1", 404],
    [":80/x", 404],
    ["h:0/x", 503],
    ["h:65536/x", 503],
    ["h:x/x", 503],
    ["u:p@/x", 404],
    ["@/x", 404],
    ["u:p@h:x/x", 503],
    ["h%zz/x", 503],
    ["a%2fb.example/x", 503],
    ["b\xfccher.example/x", 503],
    ["[::1/x", 503],
    ["a:b:c/x", 503],
  ])("%j is answered with %d", (rest, status) => {
    expect(parseProxyUrl(rest)).toEqual({ kind: "error", status });
  });

  test("may have a path as long as the limit", () => {
    const path = `/${"a".repeat(MAX_PATH_BYTES - 3)}?b`;
    expect(parse(`h${path}`).path).toBe(path);
    expect(parseProxyUrl(`h${path}c`)).toEqual({ kind: "error", status: 503 });
  });
});

test.each<[rest: string, host: string, userinfo: string | undefined]>([
  ["u:p@h/x", "h", "u:p"],
  ["u@h/x", "h", "u"],
  ["u:p%40ss:w@h/x", "h", "u:p%40ss:w"],
  ["u:p@ss@h/x", "h", "u:p@ss"],
  ["u%40mail:p%40h/x", "h", "u%40mail:p"],
  ["@h/x", "h", undefined],
  ["u:p@[::1]/x", "::1", "u:p"],
  ["h/x@y", "h", undefined],
])("%j is of the host %j, with %j", (rest, host, userinfo) => {
  const url = parse(rest);
  expect([url.host, url.userinfo]).toEqual([host, userinfo]);
  expect(authorityOf(url)).not.toContain("@");
  expect(formatProxyUrl(url)).not.toContain("u:p");
});

test.each<[rest: string, authority: string]>([
  ["b\xc3\xbccher.example:81/\xe4", "xn--bcher-kva.example:81"],
  ["b%C3%BCcher.example/x", "xn--bcher-kva.example"],
  ["B\xc3\x9cCHER.example", "xn--bcher-kva.example"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["%E7%94%B5%E8%A7%86.example.%E4%B8%AD%E5%9B%BD/x", "xn--wnys25b.example.xn--fiqs8s"],
  ["u:p@b\xc3\xbccher.example/x", "xn--bcher-kva.example"],
])("%j is asked as %j", (rest, authority) => {
  expect(authorityOf(parse(rest))).toBe(authority);
});

test("https has its own default port", () => {
  expect(parse("h/x", "https")).toEqual({ scheme: "https", host: "h", port: 443, path: "/x" });
  expect(formatProxyUrl(parse("h:443", "https"))).toBe("https://h/");
  expect(formatProxyUrl(parse("h:80", "https"))).toBe("https://h:80/");
});

test("a fragment is no part of a request", () => {
  expect([parse("h/a?b#c/d", "http").path, parse("h#f", "http").path]).toEqual(["/a?b", "/"]);
});

test("an emitted URL parses to itself", () => {
  const url = fc.record({
    scheme: fc.constantFrom<ProxyScheme>("http", "https"),
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
    port: fc.oneof(fc.constantFrom(80, 443), fc.integer({ min: 1, max: 65535 })),
    path: fc.stringMatching(/^\/[!"$-~\x80-\xff]{0,40}$/),
  });
  fc.assert(
    fc.property(url, (wanted) => {
      expect(parse(formatProxyUrl(wanted).slice(`${wanted.scheme}://`.length), wanted.scheme)).toEqual(wanted);
    }),
  );
});

describe("taking parameters", () => {
  test.each<[url: string, left: string, taken: string]>([
    ["/p", "/p", ""],
    ["/p?", "/p?", ""],
    ["/p?a=1&&b", "/p?a=1&&b", ""],
    ["/p?r2h-token=x", "/p", "r2h-token=x"],
    ["/p?R2H-Token=x&a=1&r2h-TOKEN=y", "/p?a=1", "R2H-Token=x&r2h-TOKEN=y"],
    ["/p?a=%zz&r2h-ifname=eth0&r2h-ifname-fcc=e1&b=\xe4", "/p?a=%zz&b=\xe4", "r2h-ifname=eth0&r2h-ifname-fcc=e1"],
    [
      "/p?r2h-seek-name=s&r2h-seek-mode=range&r2h-seek-offset=1,2&r2h-start=5&r2h-duration=1",
      "/p?r2h-start=5&r2h-duration=1",
      "r2h-seek-name=s&r2h-seek-mode=range&r2h-seek-offset=1,2",
    ],
    ["/p?r2h-token&a", "/p?a", "r2h-token"],
    ["/p?r2h-tokens=1&ar2h-token=1", "/p?r2h-tokens=1&ar2h-token=1", ""],
    ["http://h:80/r2h-token=1?r2h-token=a=b", "http://h:80/r2h-token=1", "r2h-token=a=b"],
  ])("from %j", (url, left, taken) => {
    expect(takeParameters(asByteString(url), CONSUMED_PARAMETERS)).toEqual<unknown>({ url: left, taken });
  });

  test("leaves the first value to be read", () => {
    const { taken } = takeParameters(asByteString("/p?R2H-IFNAME=%65th0&r2h-ifname=eth1"), CONSUMED_PARAMETERS);
    expect(queryParameter(taken, "r2h-ifname")).toBe<unknown>("eth0");
  });

  test("parts the parameters, whatever they are", () => {
    const parameter = fc.oneof(
      fc.constantFrom("r2h-token=1", "R2h-Token", "r2h-token=", "r2h-tokens=1", ""),
      fc.stringMatching(/^[!-%'->@-~]{0,8}(=[!-%'-~]{0,8})?$/),
    );
    fc.assert(
      fc.property(fc.array(parameter, { minLength: 1, maxLength: 8 }), (parameters) => {
        const isTaken = (text: string) => text.toLowerCase() === "r2h-token" || /^r2h-token=/i.test(text);
        const kept = parameters.filter((text) => !isTaken(text));
        expect(takeParameters(asByteString(`/p?${parameters.join("&")}`), ["r2h-token"])).toEqual<unknown>({
          url: kept.length > 0 ? `/p?${kept.join("&")}` : "/p",
          taken: parameters.filter(isTaken).join("&"),
        });
      }),
    );
  });
});

test("no text makes anything throw", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseProxyUrl(text);
      takeParameters(asByteString(text), CONSUMED_PARAMETERS);
    }),
  );
});
