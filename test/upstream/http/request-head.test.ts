import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emitUpstreamRequest, type UpstreamRequest } from "../../../src/upstream/http/request-head.ts";
import type { HeaderField } from "../../../src/wire/http/header-fields.ts";
import { RequestHeadParser } from "../../../src/wire/http/request.ts";
import type { ProxyUrl } from "../../../src/wire/url/proxy-url.ts";

const SERVER: ProxyUrl = { scheme: "http", host: "h", port: 80, path: "/" };

function emit(headers: readonly HeaderField[], more: Partial<UpstreamRequest> = {}): string {
  return emitUpstreamRequest({ method: "GET", url: SERVER, headers, bodyLength: 0, ...more }).toString("latin1");
}

function at(path: string): { url: ProxyUrl } {
  return { url: { ...SERVER, path } };
}

/** The lines behind `Host` and `Connection`. */
function forwarded(lines: readonly HeaderField[], more?: Partial<UpstreamRequest>): string[] {
  const [, host, connection, ...rest] = emit(lines, more).split("\r\n");
  expect([host, connection]).toEqual(["Host: h", "Connection: close"]);
  expect(rest.splice(-2)).toEqual(["", ""]);
  return rest;
}

describe("the head", () => {
  test("has the relay's own lines, then the client's in order and spelling", () => {
    const lines = [
      ["Host", "relay"],
      ["rANGE", "bytes=0-"],
      ["Content-Length", "9"],
      ["X-B", "1"],
      ["x-a", "\xe4"],
      ["X-B", "2"],
    ] as const;
    expect(
      emit(lines, { method: "POST", url: { ...SERVER, host: "::1", port: 81, path: "/a?b={c}\xe4" }, bodyLength: 3 }),
    ).toBe(
      "POST /a?b={c}%E4 HTTP/1.1\r\nHost: [::1]:81\r\nConnection: close\r\nContent-Length: 3\r\n" +
        "rANGE: bytes=0-\r\nX-B: 1\r\nx-a: \xe4\r\nX-B: 2\r\n\r\n",
    );
  });

  test("keeps nothing in the target that would end it", () => {
    const target = "/a b\r\nX: 1\u4e2d\x7f";
    expect(emit([], at(target))).toStartWith("GET /a%20b%0D%0AX:%201%E4%B8%AD%7F HTTP/1.1\r\nHost");
  });

  test("has no line of the client that is replaced, concerns its connection or is about the relay", () => {
    const names =
      "Host Content-Length Transfer-Encoding Accept-Encoding X-Forwarded-For X-Forwarded-Host x-forwarded-proto " +
      "X-Forwarded-Port X-Forwarded Forwarded Via X-Real-IP X-Client-IP True-Client-IP CF-Connecting-IP Remote-User " +
      "X-Auth-Request-Email Sec-Fetch-Site Keep-Alive Proxy-Connection Proxy-Authorization TE Trailer Upgrade EXPECT X-Mine";
    const lines = names.split(" ").map((name) => [name, "1"] as const);
    expect(forwarded([...lines, ["Connection", "keep-alive, x-mine"], ["X-Empty", ""]])).toEqual([]);
  });

  test("keeps everything else", () => {
    const names =
      "Range If-Range If-None-Match Referer Authorization Accept Accept-Language Cookie User-Agent X-Api-Key";
    const lines = names.split(" ").map((name) => [name, "r2h-token=1 R2HTOKEN/1"] as const);
    expect(forwarded(lines)).toEqual(lines.map(([name, value]) => `${name}: ${value}`));
  });

  test("asks for whole playlists only", () => {
    const lines = [
      ["Range", "bytes=5-"],
      ["If-Range", '"x"'],
      ["If-None-Match", '"x"'],
    ] as const;
    expect(forwarded(lines, at("/a.M3U8?x"))).toEqual(['If-None-Match: "x"']);
    expect(forwarded(lines, at("/a?.m3u8"))).toHaveLength(3);
  });
});

test("a configured User-Agent stands last instead of the client's", () => {
  const lines = [
    ["user-agent", "VLC"],
    ["A", "1"],
  ] as const;
  expect(forwarded(lines, { userAgent: "Box/1.0" })).toEqual(["A: 1", "User-Agent: Box/1.0"]);
  expect(forwarded(lines, { userAgent: "" })).toEqual(["user-agent: VLC", "A: 1"]);
});

describe("the access token is cut out of", () => {
  test.each<[name: string, value: string, left: string | undefined]>([
    ["Cookie", "r2h-token=x", undefined],
    ["Cookie", "r2h-token=x;", undefined],
    ["Cookie", "; r2h-token=x; ", undefined],
    ["Cookie", "r2h-token=x; b=2", "b=2"],
    ["cookie", "a=1; R2H-Token=x; b=2", "a=1; b=2"],
    ["Cookie", "a=1; r2h-token=x", "a=1"],
    ["Cookie", "r2h-token=x;r2h-token =y;a=1", "a=1"],
    ["Cookie", "a=1;b=r2h-token=x ; r2h-tokens=3", "a=1;b=r2h-token=x ; r2h-tokens=3"],
    ["Cookie", " ; ", " ; "],
    ["User-Agent", "R2HTOKEN/x", undefined],
    ["User-Agent", "VLC/3 R2HTOKEN/x", "VLC/3"],
    ["User-Agent", "R2HTOKEN/x VLC/3", "VLC/3"],
    ["User-Agent", "VLC/3 r2htoken/x (Linux)", "VLC/3 (Linux)"],
    ["User-Agent", "VLC/3  R2HTOKEN/x  (Linux)", "VLC/3   (Linux)"],
    ["User-Agent", "VLC/3 R2HTOKEN/x R2HTOKEN/y", "VLC/3"],
    ["User-Agent", "VLC/3R2HTOKEN/x (Linux)", "VLC/3 (Linux)"],
    ["User-Agent", "VLC/3 TZ/UTC+8", "VLC/3 TZ/UTC+8"],
    ["Referer", "http://r/player?r2h-token=x", "http://r/player"],
    ["Referer", "http://r/player?a=1&R2H-TOKEN=x&b=2", "http://r/player?a=1&b=2"],
    ["Referer", "http://r/player?a=1", "http://r/player?a=1"],
    ["X-Other", "r2h-token=x", "r2h-token=x"],
  ])("%s: %s", (name, value, left) => {
    expect(forwarded([[name, value]], { token: "x" })).toEqual(left === undefined ? [] : [`${name}: ${left}`]);
  });
});

test("whatever comes in, one request with safe lines goes out", () => {
  const field = fc.tuple(
    fc.oneof(fc.constantFrom("Cookie", "Referer", "User-Agent", "Connection", "X"), fc.string()),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(field), fc.string({ unit: "binary" }), fc.string(), (headers, target, userAgent) => {
      const wanted = { method: "GET", ...at(`/${target}`), headers, bodyLength: 7, userAgent, token: "t" };
      const head = emitUpstreamRequest(wanted).toString("latin1");
      expect(head).not.toMatch(/[^\t\r\n -~\x80-\xff]|\r(?!\n)|(?<!\r)\n|\r\n\r\n./);
      expect(head).toEndWith("\r\n\r\n");
    }),
  );
});

test("what is emitted parses to what was meant", () => {
  const name = fc
    .stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}$/)
    .filter((text) => !/^x-(forwarded|real-|original-|remote-|envoy-|webauth-)/i.test(text));
  const value = fc.stringMatching(/^[!-~\x80-\xff]([\t -~\x80-\xff]{0,10}[!-~\x80-\xff])?$/);
  const headers: fc.Arbitrary<HeaderField[]> = fc.array(fc.tuple(name, value), { maxLength: 8 });
  fc.assert(
    fc.property(headers, fc.stringMatching(/^\/[!-~]{0,30}$/), fc.nat(99), (fields, target, bodyLength) => {
      const emitted = emitUpstreamRequest({ method: "PUT", ...at(target), headers: fields, bodyLength });
      const outcome = new RequestHeadParser().push(emitted);
      expect(outcome).toMatchObject({ kind: "complete", consumed: emitted.length, bodyLength });
      const own = bodyLength > 0 ? 3 : 2;
      expect(outcome).toMatchObject({ head: { method: "PUT", target, minorVersion: 1 } });
      expect(outcome.kind === "complete" && outcome.head.headers.slice(own)).toEqual(fields);
    }),
  );
});

const CHROMIUM: readonly HeaderField[] = [
  ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"],
  ["Accept-Encoding", "gzip, deflate"],
  ["Accept-Language", "en"],
];

describe("where the client comes from is not told", () => {
  const names = (lines: string[]) => lines.map((line) => line.split(":", 1)[0]);

  test.each<[what: string, mark: readonly HeaderField[]]>([
    ["by https or on localhost", [["Sec-Fetch-Mode", "cors"]]],
    ["by plain HTTP, where it says less", CHROMIUM],
  ])("by a browser %s", (_, mark) => {
    const sent = forwarded([
      ...mark,
      ["Referer", "http://nas/player"],
      ["Origin", "http://nas"],
      ["Cookie", "SID=nas"],
    ]);
    expect(names(sent).filter((name) => /^(Referer|Origin|Cookie)$/.test(name!))).toEqual([]);
    expect(sent.join()).not.toContain("nas");
  });

  test("by our own pages, whoever shows them", () => {
    const lines: HeaderField[] = [
      ["Host", "NAS:5140"],
      ["Referer", "http://nas:5140/player?x"],
      ["Origin", "http://nas:5140"],
    ];
    expect(forwarded(lines)).toEqual([]);
    expect(
      forwarded([
        ["X-Forwarded-Host", "tv.home"],
        ["Referer", "https://tv.home/"],
      ]),
    ).toEqual([]);
  });

  test("but a program says what it wants to", () => {
    const lines: HeaderField[] = [
      ["Host", "nas:5140"],
      ["User-Agent", "Mozilla/5.0 (set-top box)"],
      ["Accept-Encoding", "gzip"],
      ["Referer", "http://tv.example/live"],
      ["Origin", "http://tv.example"],
      ["Cookie", "SID=1; b=2"],
      ["Authorization", "Basic dTpw"],
    ];
    const kept = lines.filter(([name]) => name !== "Host" && name !== "Accept-Encoding");
    expect(forwarded(lines)).toEqual(kept.map(([name, value]) => `${name}: ${value}`));
  });
});

test("what was meant for the server that has redirected here does not come along", () => {
  const lines: HeaderField[] = [
    ["Authorization", "Basic dTpw"],
    ["Cookie", "SID=1; r2hc~h~own=2; r2hc~other~x=3"],
    ["X", "1"],
  ];
  expect(forwarded(lines, { isRedirected: true })).toEqual(["Cookie: own=2", "X: 1"]);
});

test("what a list prescribes stands in the place of the client's, and the client's cookies beat its own", () => {
  const prescribed = [
    ["User-Agent", "Box/1"],
    ["Cookie", "a=1; b=2"],
    ["Referer", "http://r/"],
  ] as const;
  const own = [
    ["user-agent", "VLC"],
    ["Cookie", "b=3"],
    ["X-A", "1"],
  ] as const;
  expect(forwarded(own, { prescribed, userAgent: "relay" })).toEqual([
    "X-A: 1",
    "User-Agent: Box/1",
    "Cookie: a=1; b=3",
    "Referer: http://r/",
  ]);
});

test("nor do credentials that a list prescribes for that server", () => {
  const prescribed = [
    ["Cookie", "a=1"],
    ["Authorization", "Basic dTpw"],
    ["Referer", "http://r/"],
  ] as const;
  expect(forwarded([], { prescribed, isRedirected: true })).toEqual(["Referer: http://r/"]);
});
