import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { methodOf, parseRequestLine } from "../../../src/wire/http/request-line.ts";

const GROUP = "/udp/239.0.0.1:5000";

test.each<[line: string, method: string, target: string]>([
  [`GET ${GROUP} HTTP/1.1`, "GET", GROUP],
  [`get ${GROUP} http/1.1`, "GET", GROUP],
  [`Head ${GROUP} HTTP/1.1`, "HEAD", GROUP],
  [`options * HTTP/1.1`, "OPTIONS", "*"],
  ["Play /x HTTP/1.1", "Play", "/x"],
  [`  GET\t${GROUP} \t HTTP/1.1 \t`, "GET", GROUP],
  [`GET ${GROUP} HTTP/1.1\r`, "GET", GROUP],
  ["GET /News/Channel 1 HD HTTP/1.1", "GET", "/News/Channel%201%20HD"],
  [
    "GET /a?playseek=2026-01-02 10:00-2026-01-02\t11:00 HTTP/1.1",
    "GET",
    "/a?playseek=2026-01-02%2010:00-2026-01-02%0911:00",
  ],
  ['GET /x|User-Agent=a"b{c}$HD HTTP/1.1', "GET", '/x|User-Agent=a"b{c}$HD'],
  ["GET /\xe4\xf6%zz HTTP/1.1", "GET", "/\xe4\xf6%zz"],
  ["GET /a HTTP/1.1 HTTP/1.1", "GET", "/a%20HTTP/1.1"],
])("%j is %s %s", (line, method, target) => {
  expect(parseRequestLine(line)).toEqual<unknown>({ method, target, authority: undefined, minorVersion: 1 });
});

test.each<[url: string, authority: string, target: string]>([
  [`http://192.0.2.1:5140${GROUP}`, "192.0.2.1:5140", GROUP],
  ["HTTP://TV.example/x?y=http://z/", "TV.example", "/x?y=http://z/"],
  ["https://[2001:db8::1]:443/", "[2001:db8::1]:443", "/"],
  ["http://tv.example", "tv.example", "/"],
  ["http://tv.example?a=1", "tv.example", "/?a=1"],
  ["http://tv.example//udp/@239.0.0.1:5000", "tv.example", "//udp/@239.0.0.1:5000"],
  ["http://user:password@tv.example/x", "user:password@tv.example", "/x"],
  ["http://tv.example/Channel 1", "tv.example", "/Channel%201"],
])("the URL %s asks %s for %s", (url, authority, target) => {
  expect(parseRequestLine(`GET ${url} HTTP/1.0`)).toEqual<unknown>({
    method: "GET",
    target,
    authority,
    minorVersion: 0,
  });
});

test.each(["http:///x", "http://", "http:/x", "rtsp://192.0.2.1/x", "x", "192.0.2.1:443"])(
  "%s is no URL of HTTP and stays",
  (target) => {
    expect(parseRequestLine(`GET ${target} HTTP/1.1`)).toMatchObject({ target, authority: undefined });
  },
);

test.each([
  "",
  " ",
  "GET",
  "GET ",
  "GET /",
  "GET  HTTP/1.1",
  "GET HTTP/1.1",
  " /x HTTP/1.1",
  "G(T / HTTP/1.1",
  "GET / HTTP/2.0",
  "GET / HTTP/1.",
  "GET / HTTP/1.10",
  "GET / HTTP/0.9",
  "GET /HTTP/1.1",
  "GET / ICY/1.1",
  "GET /a\0b HTTP/1.1",
  "GET /a\rb HTTP/1.1",
  "GET /a HTTP/1.1\0",
])("%j is none", (line) => {
  expect(parseRequestLine(line)).toBeUndefined();
});

test("the method of half a line is known", () => {
  expect(["head /x", "GET ", "GET", "", "G(T /"].map(methodOf)).toEqual(["HEAD", "GET", "", "", ""]);
});

describe("for all lines", () => {
  const blanks = fc.stringMatching(/^[ \t]{1,5}$/);
  const piece = fc.constantFrom("GET", "/", "http://", "a", " ", "\t", "\r", "HTTP/1.1", "@", "\xe4", "\0");

  test("blanks between and around the parts mean nothing", () => {
    fc.assert(
      fc.property(blanks, blanks, blanks, blanks, (a, b, c, d) => {
        expect(parseRequestLine(`${a}GET${b}/x${c}HTTP/1.1${d}`)).toEqual(parseRequestLine("GET /x HTTP/1.1")!);
      }),
    );
  });

  test("a target never holds a blank or a control character, and an authority no path", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const parsed =
          parseRequestLine(`GET /${pieces.join("")} HTTP/1.1`) ?? parseRequestLine(`GET ${pieces.join("")} HTTP/1.1`);
        expect(parsed?.target ?? "/").toMatch(/^[!-~\x80-\xff]+$/);
        expect(parsed?.authority ?? "a").toMatch(/^[^/?#]+$/);
      }),
    );
  });

  test("the time is linear in the length of one that is none", () => {
    for (const filling of [" ", "\t", " a", "http://", "HTTP/1.1 "]) {
      expect(parseRequestLine(`GET ${filling.repeat(200_000)}\0`)).toBeUndefined();
    }
  });
});
