import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LinkRules, proxyLink } from "../../../src/upstream/http/proxy-link.ts";
import { rewrittenPieces } from "../../../src/wire/hls/rewrite.ts";

const MAX_LINKS_BYTES = 16 * 1024 * 1024;

const RULES: LinkRules = { base: "/", upstream: "http://u/d/x.m3u8", proxyHttps: false };
const rewrite = (text: string, more: Partial<LinkRules> = {}) =>
  joined([...rewrittenPieces(text, (reference) => proxyLink(reference, { ...RULES, ...more }))]);

function joined(pieces: readonly (string | undefined)[]): string | undefined {
  return pieces.includes(undefined) ? undefined : pieces.join("");
}

test("a whole playlist", () => {
  const text = [
    '#EXTM3U x-tvg-url="http://e/epg.xml"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="audio/1.m3u8"',
    '#EXT-X-KEY:METHOD=AES-128,URI="https://k/key",IV=0x1',
    '#EXT-X-MAP:URI="/init.mp4",BYTERANGE="1@0"',
    "",
    "#EXTINF:4.0, http://not/a/link",
    "http://c:81/seg1.ts?a=1",
    "seg2.ts",
    "",
  ].join("\n");
  expect(rewrite(text, { base: "http://r:5140/tv/", encodedToken: "t" })).toBe(
    [
      '#EXTM3U x-tvg-url="http://e/epg.xml"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="http://r:5140/tv/http/u/d/audio/1.m3u8?r2h-token=t"',
      '#EXT-X-KEY:METHOD=AES-128,URI="https://k/key",IV=0x1',
      '#EXT-X-MAP:URI="http://r:5140/tv/http/u/init.mp4?r2h-token=t",BYTERANGE="1@0"',
      "",
      "#EXTINF:4.0, http://not/a/link",
      "http://r:5140/tv/http/c:81/seg1.ts?a=1&r2h-token=t",
      "http://r:5140/tv/http/u/d/seg2.ts?r2h-token=t",
      "",
    ].join("\n"),
  );
});

describe("lines", () => {
  test.each<[what: string, text: string, result: string]>([
    ["nothing at all", "", ""],
    ["no newline at the end", "#EXTM3U\na", "#EXTM3U\n/http/u/d/a"],
    ["CRLF", "#EXTM3U\r\na\r\n\r\nb\r\n", "#EXTM3U\r\n/http/u/d/a\r\n\r\n/http/u/d/b\r\n"],
    ["a CR at the end", "a\r", "/http/u/d/a\r"],
    ["blanks before a URL", " \ta\n", "/http/u/d/a\n"],
    ["blanks behind a URL", "a \t\r\n", "/http/u/d/a \t\r\n"],
    ["blanks around a URL that stays", " https://h/ \r\n", " https://h/ \r\n"],
    ["blanks only", " \t\n\r\n \r\n", " \t\n\r\n \r\n"],
    ["a blank in a URL", "a b\n", "/http/u/d/a b\n"],
    ["blanks before a comment", " \t#a\n", " \t#a\n"],
    ["a URL that looks like an attribute", "a,URI=b\n", "/http/u/d/a,URI=b\n"],
    ["a byte order mark before a comment", "\xef\xbb\xbf#EXTM3U\na", "\xef\xbb\xbf#EXTM3U\n/http/u/d/a"],
    ["a byte order mark before a URL", "\xef\xbb\xbfa\n", "\xef\xbb\xbf/http/u/d/a\n"],
    ["a byte order mark elsewhere", "#\n\xef\xbb\xbfa\n", "#\n/http/u/d/\xef\xbb\xbfa\n"],
    ["raw bytes", "\xe4\x00\n", "/http/u/d/\xe4\x00\n"],
  ])("%s", (_, text, result) => {
    expect(rewrite(text)).toBe(result);
  });
});

describe("attributes", () => {
  test.each<[line: string, result: string]>([
    ['#X:URI="a"', '#X:URI="/http/u/d/a"'],
    ['#X:uri="a",Uri="b"', '#X:uri="/http/u/d/a",Uri="/http/u/d/b"'],
    ['#X:A=1, URI="a,b c"', '#X:A=1, URI="/http/u/d/a,b c"'],
    ["#X:URI=a,B=1", "#X:URI=/http/u/d/a,B=1"],
    ["#X\tURI=a\tb", "#X\tURI=/http/u/d/a\tb"],
    ["#X URI=a b", "#X URI=/http/u/d/a b"],
    ["#X:URI=a\r", "#X:URI=/http/u/d/a\r"],
    ["#X:URI=\"http://h/a?b='c'\"", "#X:URI=\"/http/h/a?b='c'\""],
    ['  #X:URI="a"', '  #X:URI="/http/u/d/a"'],
    ['#X:URI=""', '#X:URI=""'],
    ["#X:URI=", "#X:URI="],
    ["#X:URI=,A=1", "#X:URI=,A=1"],
    ['#X:URI="data:text/plain,URI=a"', '#X:URI="data:text/plain,URI=a"'],
    ['#X:URI="skd://a",URI="https://b"', '#X:URI="skd://a",URI="https://b"'],
    ['#X:URI="a', '#X:URI="a'],
    ['#X:X-URI="a"', '#X:X-URI="a"'],
    ['#XURI="a"', '#XURI="a"'],
    ['#URI="a"', '#URI="a"'],
    [
      '#EXTINF:-1 catchup-source="http://h/a" tvg-logo="http://h/b",C',
      '#EXTINF:-1 catchup-source="http://h/a" tvg-logo="http://h/b",C',
    ],
  ])("%s", (line, result) => {
    expect(rewrite(`${line}\n`)).toBe(`${result}\n`);
  });
});

test("a line of more than 16 KiB stays as it is", () => {
  const long = "a".repeat(16 * 1024 - 8);
  expect(rewrite(`#X:URI=a,${long}\nb\n`)).toBe(`#X:URI=a,${long}\n/http/u/d/b\n`);
  expect(rewrite(`#X:URI=a,${long.slice(9)}\n`)).toStartWith("#X:URI=/http/u/d/a,");
});

test("a playlist that would grow beyond the limit is refused", () => {
  const upstream = `http://u/${"d".repeat(1000)}/x`;
  const linkBytes = `/http/u/${"d".repeat(1000)}/a`.length;
  const count = Math.floor(MAX_LINKS_BYTES / linkBytes);
  expect(rewrite("a\n".repeat(count), { upstream })).toHaveLength(count * (linkBytes + 1));
  expect(rewrite("a\n".repeat(count + 1), { upstream })).toBeUndefined();
  expect(rewrite(`#${",URI=a".repeat(1000)}\n`.repeat(count / 1000 + 1), { upstream })).toBeUndefined();
});

test("a CR is no part of a bare attribute value", () => {
  expect(rewrite("#X:URI=a\r\n", { encodedToken: "t" })).toBe("#X:URI=/http/u/d/a?r2h-token=t\r\n");
});

/** What the rules of http-proxy.md section 7 make of references, written out by hand. */
const LINKS: readonly (readonly [reference: string, link: string])[] = [
  ["http://h/a.ts", "B/http/h/a.ts?r2h-token=t"],
  ["HTTP://h:1/a.ts?x=1", "B/http/h:1/a.ts?x=1&r2h-token=t"],
  ["/a.ts", "B/http/u/a.ts?r2h-token=t"],
  ["a.ts", "B/http/u/d/a.ts?r2h-token=t"],
  ["../a.ts?b", "B/http/u/a.ts?b&r2h-token=t"],
  ["?q", "B/http/u/d/x.m3u8?q&r2h-token=t"],
  ["//h/p", "B/http/h/p?r2h-token=t"],
  ["a.ts?r2h-token=s", "B/http/u/d/a.ts?r2h-token=s"],
  ["https://h/a.ts", "https://h/a.ts"],
  ["rtp://239.0.0.1:1", "rtp://239.0.0.1:1"],
  ["data:,x", "data:,x"],
];

describe("for all playlists", () => {
  const link = fc.constantFrom(...LINKS);
  const blanks = fc.constantFrom("", " ", "\t ");
  /** A line and what becomes of it. */
  const line = fc.oneof(
    fc.tuple(blanks, link).map(([b, [from, to]]) => [b + from, from === to ? b + from : to] as const),
    fc
      .tuple(fc.constantFrom('#X:A="b",', "#X:", "#X\t"), link)
      .map(([p, [from, to]]) => [`${p}URI="${from}"`, `${p}URI="${to}"`] as const),
    fc.constantFrom("", " ", "#EXTM3U", "#EXTINF:4,http://h/a", '#X:X-URI="a"').map((same) => [same, same] as const),
  );
  const end = fc.constantFrom("\n", "\r\n");

  test("each line becomes what the rules say", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "\xef\xbb\xbf"), fc.array(fc.tuple(line, end)), line, (mark, lines, last) => {
        const text = (side: 0 | 1) => mark + lines.map(([pair, eol]) => pair[side] + eol).join("") + last[side];
        expect(rewrite(text(0), { base: "B/", encodedToken: "t" })).toBe(text(1));
      }),
      { numRuns: 500 },
    );
  });

  test("random and truncated bytes never throw, and no line is lost", () => {
    const fragment = fc.constantFrom(
      "#",
      "URI=",
      '"',
      ",",
      " ",
      "\r",
      "\n",
      "http://",
      "a",
      "/",
      "?",
      "$",
      ":",
      "\xef\xbb\xbf",
    );
    const near = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(""));
    const bytes = fc.uint8Array({ maxLength: 200 }).map((all) => Buffer.from(all).toString("latin1"));
    fc.assert(
      fc.property(fc.oneof(near, bytes), fc.nat(200), (text, length) => {
        for (const part of [text, text.slice(0, length)]) {
          const result = rewrite(part, { encodedToken: "t" });
          expect(result?.split("\n")).toHaveLength(part.split("\n").length);
          expect(result).not.toMatch(/[^\0-\xff]/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
