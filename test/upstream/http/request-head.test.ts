import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emitUpstreamRequest, type UpstreamRequest } from "../../../src/upstream/http/request-head.ts";
import type { HeaderField } from "../../../src/wire/http/header-fields.ts";
import { RequestHeadParser } from "../../../src/wire/http/request.ts";

function emit(headers: readonly HeaderField[], more: Partial<UpstreamRequest> = {}): string {
  return emitUpstreamRequest({ method: "GET", target: "/", host: "h", headers, bodyLength: 0, ...more }).toString(
    "latin1",
  );
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
    expect(emit(lines, { method: "POST", target: "/a?b={c}\xe4", host: "[::1]:81", bodyLength: 3 })).toBe(
      "POST /a?b={c}%E4 HTTP/1.1\r\nHost: [::1]:81\r\nConnection: close\r\nContent-Length: 3\r\n" +
        "rANGE: bytes=0-\r\nX-B: 1\r\nx-a: \xe4\r\nX-B: 2\r\n\r\n",
    );
  });

  test("keeps nothing in the target that would end it", () => {
    const target = "/a b\r\nX: 1\u4e2d\x7f";
    expect(emit([], { target })).toStartWith("GET /a%20b%0D%0AX:%201%E4%B8%AD%7F HTTP/1.1\r\nHost");
  });

  test("has no line of the client that is replaced, concerns its connection or is about the relay", () => {
    const names =
      "Host Content-Length Transfer-Encoding Accept-Encoding X-Forwarded-For X-Forwarded-Host x-forwarded-proto " +
      "X-Forwarded-Port Keep-Alive Proxy-Connection Proxy-Authorization TE Trailer Upgrade EXPECT X-Mine";
    const lines = names.split(" ").map((name) => [name, "1"] as const);
    expect(forwarded([...lines, ["Connection", "keep-alive, x-mine"], ["X-Empty", ""]])).toEqual([]);
  });

  test("keeps everything else", () => {
    const names =
      "Range If-Range If-None-Match Referer Authorization Accept Accept-Language Cookie User-Agent Forwarded";
    const lines = names.split(" ").map((name) => [name, "r2h-token=1 R2HTOKEN/1"] as const);
    expect(forwarded(lines)).toEqual(lines.map(([name, value]) => `${name}: ${value}`));
  });

  test("asks for whole playlists only", () => {
    const lines = [
      ["Range", "bytes=5-"],
      ["If-Range", '"x"'],
      ["If-None-Match", '"x"'],
    ] as const;
    expect(forwarded(lines, { target: "/a.M3U8?x" })).toEqual(['If-None-Match: "x"']);
    expect(forwarded(lines, { target: "/a?.m3u8" })).toHaveLength(3);
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
      const wanted = { method: "GET", target: `/${target}`, host: "h", headers, bodyLength: 7, userAgent, token: "t" };
      const head = emitUpstreamRequest(wanted).toString("latin1");
      expect(head).not.toMatch(/[^\t\r\n -~\x80-\xff]|\r(?!\n)|(?<!\r)\n|\r\n\r\n./);
      expect(head).toEndWith("\r\n\r\n");
    }),
  );
});

test("what is emitted parses to what was meant", () => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}$/).filter((text) => !/^x-forwarded-/i.test(text));
  const value = fc.stringMatching(/^[!-~\x80-\xff]([\t -~\x80-\xff]{0,10}[!-~\x80-\xff])?$/);
  const headers: fc.Arbitrary<HeaderField[]> = fc.array(fc.tuple(name, value), { maxLength: 8 });
  fc.assert(
    fc.property(headers, fc.stringMatching(/^\/[!-~]{0,30}$/), fc.nat(99), (fields, target, bodyLength) => {
      const emitted = emitUpstreamRequest({ method: "PUT", target, host: "h", headers: fields, bodyLength });
      const outcome = new RequestHeadParser().push(emitted);
      expect(outcome).toMatchObject({ kind: "complete", consumed: emitted.length, bodyLength });
      const own = bodyLength > 0 ? 3 : 2;
      expect(outcome).toMatchObject({ head: { method: "PUT", target, minorVersion: 1 } });
      expect(outcome.kind === "complete" && outcome.head.headers.slice(own)).toEqual(fields);
    }),
  );
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
