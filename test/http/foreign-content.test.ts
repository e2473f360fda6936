import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { confinedHeaders, type ForeignAnswer } from "../../src/http/foreign-content.ts";
import { type HeaderField, isNamed } from "../../src/wire/http/header-fields.ts";

const PLACE = {
  status: 200,
  upstreamPath: "/live/index.m3u8?x=1",
  hostPaths: ["/tv/http/h"],
  channelPath: undefined,
  isCors: false,
};
const fields = (text: string): HeaderField[] =>
  text === "" ? [] : text.split("\n").map((line) => [line.split(": ", 1)[0]!, line.slice(line.indexOf(": ") + 2)]);
const confined = (text: string, place: Partial<ForeignAnswer> = {}) =>
  confinedHeaders({ ...PLACE, headers: fields(text), ...place });
const all = (headers: readonly HeaderField[], name: string) =>
  headers.filter((field) => isNamed(field, name)).map(([, value]) => value);
const PLAIN = "Content-Type: text/plain";

test("an answer is in a sandbox, of the type it says, and not to be embedded elsewhere", () => {
  expect(confined(PLAIN)).toEqual([
    ["Content-Type", "text/plain"],
    ["Content-Security-Policy", "sandbox"],
    ["X-Content-Type-Options", "nosniff"],
    ["Cross-Origin-Resource-Policy", "same-site"],
  ]);
  expect(all(confined(PLAIN, { isCors: true }), "cross-origin-resource-policy")).toEqual(["cross-origin"]);
});

test("a server says nothing for our whole host, and loosens nothing", () => {
  const theirs = [
    "CONTENT-SECURITY-POLICY: sandbox allow-scripts allow-same-origin",
    "Content-Security-Policy: script-src *",
    "Content-Security-Policy-Report-Only: report-uri /x",
    "x-content-type-options: none",
    "Cross-Origin-Resource-Policy: cross-origin",
    "Service-Worker-Allowed: /",
    'Clear-Site-Data: "*"',
    "Strict-Transport-Security: max-age=9999",
    'Alt-Svc: h3="evil.example:443"',
    "Refresh: 0; url=/status",
    'Speculation-Rules: "/x"',
    "NEL: {}",
    "Report-To: {}",
    "Accept-CH: DPR",
  ];
  expect(confined([PLAIN, ...theirs].join("\n"))).toEqual(confined(PLAIN));
});

test("what players and programs read stays", () => {
  const kept = [
    "Content-Type: video/mp2t",
    "Access-Control-Allow-Origin: *",
    'ETag: "x"',
    "Content-Range: bytes 0-1/2",
    "Location: /x",
    "WWW-Authenticate: Basic",
    'Content-Disposition: inline; filename="a.ts"',
    "X-Unknown: 1",
  ].join("\n");
  expect(confined(kept).slice(0, -3)).toEqual(fields(kept));
});

describe("what a browser would make a document of is downloaded", () => {
  test.each([
    ...["text/html", "text/HTML; charset=utf-8", " text/html", "application/xhtml+xml", "image/svg+xml"],
    ...["text/xml", "application/xml", "application/rss+xml", "text/xsl", "application/pdf", "multipart/related"],
    ...["multipart/x-mixed-replace; boundary=x", "message/rfc822", "text/javascript", "", "video", "*/*", "unknown/x"],
    ...["text/plain, text/html", "text/plain; x, text/html", "text/plain\t;,text/html", "image/png+xml", "image/svg"],
  ])("%j", (type) => {
    expect(all(confined(`Content-Type: ${type}`), "content-disposition")).toEqual(["attachment"]);
    expect(all(confined(`Content-Type: ${type}`), "content-type")).toEqual([type]);
  });

  test("also without a type, or with two", () => {
    expect(all(confined(""), "content-disposition")).toEqual(["attachment"]);
    expect(all(confined(`${PLAIN}\ncontent-type: text/plain`), "content-disposition")).toEqual(["attachment"]);
  });

  test.each([
    ["inline", "attachment"],
    ["INLINE; filename=x", "attachment"],
    ["attachmentx", "attachment"],
    ["attachment; filename=x", "attachment; filename=x"],
    ["Attachment", "Attachment"],
  ])("in place of %s: %s", (theirs, expected) => {
    const headers = `Content-Type: text/html\nContent-Disposition: ${theirs}`;
    expect(all(confined(headers), "content-disposition")).toEqual([expected]);
    const twice = `${headers}\nContent-Disposition: inline`;
    expect(all(confined(twice), "content-disposition")).toEqual(["attachment"]);
  });

  test.each([
    ...["text/plain", "text/plain;charset=utf-8", "video/mp2t", "VIDEO/MP4", "audio/x-mpegurl", "audio/mpeg"],
    ...[
      "application/vnd.apple.mpegurl",
      "application/x-mpegURL; charset=utf-8",
      "image/jpeg",
      "image/vnd.microsoft.icon",
    ],
    ...["application/json", "application/octet-stream", "text/vtt", "font/woff2"],
  ])("but not %s", (type) => {
    expect(all(confined(`Content-Type: ${type}`), "content-disposition")).toEqual([]);
  });

  test.each([204, 304])("nor an answer without one: %d", (status) => {
    expect(all(confined("", { status }), "content-disposition")).toEqual([]);
  });
});

describe("a cookie comes back to its server alone", () => {
  const cookies = (cookie: string, place: Partial<ForeignAnswer> = {}) =>
    all(confined(`Set-Cookie: ${cookie}`, place), "set-cookie");

  test.each([
    ["a=1; Path=/", "a=1; Path=/tv/http/h"],
    ["a=1; path=/status; Domain=example", "a=1; Path=/tv/http/h/status"],
    ["a=1", "a=1; Path=/tv/http/h/live"],
    ["a=1; HttpOnly; Secure", "a=1; HttpOnly; Secure; Path=/tv/http/h/live"],
  ])("%s: %s", (theirs, expected) => {
    expect(cookies(theirs)).toEqual([expected]);
  });

  test("by the channel's name, and by the links of its playlist", () => {
    const channel = { hostPaths: ["/http/h", "/http/h:80"], channelPath: "/News/One" };
    expect(cookies("a=1; Path=/x", channel)).toEqual([
      "a=1; Path=/News/One",
      "a=1; Path=/http/h/x",
      "a=1; Path=/http/h:80/x",
    ]);
    expect(cookies("a=1; Path=/x", { channelPath: "/News;One" })).toEqual(["a=1; Path=/tv/http/h/x"]);
  });

  test.each(["r2h-token=evil; Path=/", "R2H-Token =x", "=r2h-token=evil", "r2h-token", ""])(
    "and %j is none: it could stand for the access token",
    (theirs) => {
      expect(cookies(theirs)).toEqual([]);
    },
  );

  test("whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (cookie) => {
        for (const bound of cookies(cookie)) expect(bound).toMatch(/; Path=\/tv\/http\/h(\/[^;]*)?$/s);
      }),
    );
  });
});
