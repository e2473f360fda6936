import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LinkRules, proxyLink } from "../../../src/upstream/http/proxy-link.ts";
import { rewrittenPieces } from "../../../src/wire/hls/rewrite.ts";

const MAX_LINKS_BYTES = 16 * 1024 * 1024;

const RULES: LinkRules = { base: "/", upstream: "http://u/d/x.m3u8", proxyHttps: false };
const linksOf = (rules: LinkRules) => (reference: string, isPrefix?: boolean) => proxyLink(reference, rules, isPrefix);
const rewrite = (text: string, more: Partial<LinkRules> = {}) =>
  joined([...rewrittenPieces(text, RULES.upstream, linksOf({ ...RULES, ...more }))]);

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
    ["a byte order mark before a comment elsewhere", "a\n\xef\xbb\xbf#EXTM3U\n", "/http/u/d/a\n\xef\xbb\xbf#EXTM3U\n"],
    ["a byte order mark elsewhere", "#\n\xef\xbb\xbfa\n", "#\n/http/u/d/\xef\xbb\xbfa\n"],
    ["raw bytes", "\xe4\x00\n", "/http/u/d/\xe4\x00\n"],
  ])("%s", (_, text, result) => {
    expect(rewrite(text)).toBe(result);
  });
});

describe("attributes", () => {
  test.each<[line: string, result: string]>([
    ['#EXT-X-A:URI="a"', '#EXT-X-A:URI="/http/u/d/a"'],
    ['#EXT-X-A:uri="a",Uri="b"', '#EXT-X-A:uri="/http/u/d/a",Uri="/http/u/d/b"'],
    ['#EXT-X-A:A=1, URI="a,b c"', '#EXT-X-A:A=1, URI="/http/u/d/a,b c"'],
    ["#EXT-X-A:URI=a,B=1", "#EXT-X-A:URI=/http/u/d/a,B=1"],
    ["#EXT-X-A:URI=a\tb", "#EXT-X-A:URI=/http/u/d/a\tb"],
    ['#EXT-X-A:URI = "a" , B=1', '#EXT-X-A:URI = "/http/u/d/a" , B=1'],
    ["#EXT-X-A:METHOD=NONE,,URI=a", "#EXT-X-A:METHOD=NONE,,URI=/http/u/d/a"],
    [
      '#EXT-X-CONTENT-STEERING:SERVER-URI="/s.json?a",PATHWAY-ID="b"',
      '#EXT-X-CONTENT-STEERING:SERVER-URI="/http/u/s.json?a",PATHWAY-ID="b"',
    ],
    [
      '#EXT-X-DATERANGE:ID="a",X-ASSET-URI="http://ad/a.m3u8",X-COM-URI="http://b"',
      '#EXT-X-DATERANGE:ID="a",X-ASSET-URI="/http/ad/a.m3u8",X-COM-URI="http://b"',
    ],
    ['#EXT-X-DATERANGE:ID="a",X-ASSET-LIST="l.json"', '#EXT-X-DATERANGE:ID="a",X-ASSET-LIST="/http/u/d/l.json"'],
    ['#EXT-X-MEDIA:NAME="x,URI=b",URI="a"', '#EXT-X-MEDIA:NAME="x,URI=b",URI="/http/u/d/a"'],
    ['\xef\xbb\xbf#EXT-X-A:URI="a"', '\xef\xbb\xbf#EXT-X-A:URI="/http/u/d/a"'],
    ['#EXTINF:4,Film: URI="a"', '#EXTINF:4,Film: URI="a"'],
    ["#EXTINF:4,URI=http://h/a", "#EXTINF:4,URI=http://h/a"],
    ['#EXTM3U URI="a"', '#EXTM3U URI="a"'],
    ['#EXTVLCOPT:URI="a"', '#EXTVLCOPT:URI="a"'],
    ['# URI="a"', '# URI="a"'],
    ["#EXT-X-A:URI=a\r", "#EXT-X-A:URI=/http/u/d/a\r"],
    ["#EXT-X-A:URI=\"http://h/a?b='c'\"", "#EXT-X-A:URI=\"/http/h/a?b='c'\""],
    ['  #EXT-X-A:URI="a"', '  #EXT-X-A:URI="/http/u/d/a"'],
    ['#EXT-X-A:URI=""', '#EXT-X-A:URI=""'],
    ["#EXT-X-A:URI=", "#EXT-X-A:URI="],
    ["#EXT-X-A:URI=,A=1", "#EXT-X-A:URI=,A=1"],
    ['#EXT-X-A:URI="data:text/plain,URI=a"', '#EXT-X-A:URI="data:text/plain,URI=a"'],
    ['#EXT-X-A:URI="skd://a",URI="https://b"', '#EXT-X-A:URI="skd://a",URI="https://b"'],
    ['#EXT-X-A:URI="a', '#EXT-X-A:URI="a'],
    ['#EXT-X-A:X-URI="a"', '#EXT-X-A:X-URI="a"'],
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

describe("variables", () => {
  const define = (name: string, value: string) => `#EXT-X-DEFINE:NAME="${name}",VALUE="${value}"`;

  test.each<[what: string, lines: string[], result: string[]]>([
    ["a directory", [define("d", "x/y"), "{$d}/a.ts"], [define("d", "x/y"), "/http/u/d/x/y/a.ts"]],
    [
      "a server, for others too",
      [define("b", "http://c/x"), "{$b}/a.ts"],
      [define("b", "/http/c/x"), "/http/c/x/a.ts"],
    ],
    ["a host", [define("h", "c"), "http://{$h}/a.ts"], [define("h", "c"), "/http/c/a.ts"]],
    ["a parameter", [define("t", "1&b=2"), "a.ts?t={$t}"], [define("t", "1&b=2"), "/http/u/d/a.ts?t=1&b=2"]],
    [
      "in an attribute",
      [define("k", "/k"), '#EXT-X-KEY:METHOD=AES-128,URI="{$k}/1"'],
      [define("k", "/k"), '#EXT-X-KEY:METHOD=AES-128,URI="/http/u/k/1"'],
    ],
    [
      "of another",
      [define("a", "x"), define("b", "{$a}/y"), "{$b}/z"],
      [define("a", "x"), define("b", "{$a}/y"), "/http/u/d/x/y/z"],
    ],
    ["not known yet", ["{$d}/a.ts", define("d", "x")], ["{$d}/a.ts", define("d", "x")]],
    ["imported, in front", ['#EXT-X-DEFINE:IMPORT="d"', "{$d}/a.ts?b"], ['#EXT-X-DEFINE:IMPORT="d"', "{$d}/a.ts?b"]],
    [
      "imported, elsewhere",
      ['#EXT-X-DEFINE:IMPORT="d"', "x/{$d}.ts"],
      ['#EXT-X-DEFINE:IMPORT="d"', "/http/u/d/x/{$d}.ts"],
    ],
    [
      "of the playlist's query",
      ['#EXT-X-DEFINE:QUERYPARAM="q"', "a.ts?q={$q}"],
      ['#EXT-X-DEFINE:NAME="q",VALUE="1 2"', "/http/u/d/a.ts?q=1%202"],
    ],
    [
      "of no such parameter",
      ['#EXT-X-DEFINE:QUERYPARAM="z"', "a.ts?q={$z}"],
      ['#EXT-X-DEFINE:QUERYPARAM="z"', "/http/u/d/a.ts?q={$z}"],
    ],
    [
      "on a server that is not relayed",
      [define("b", "https://c"), "{$b}/a.ts"],
      [define("b", "https://c"), "{$b}/a.ts"],
    ],
    ["in a title", [define("d", "x"), "#EXTINF:4,{$d}"], [define("d", "x"), "#EXTINF:4,{$d}"]],
  ])("%s", (_, lines, result) => {
    const rewritten = [...rewrittenPieces(lines.join("\n"), `${RULES.upstream}?q=1%202`, linksOf(RULES))].join("");
    expect(rewritten.split("\n")).toEqual(result);
  });

  test("of a server are no place for the token", () => {
    const text = `${define("b", "http://c/x")}\n{$b}/a.ts\n`;
    const result = `${define("b", "/http/c/x")}\n/http/c/x/a.ts?r2h-token=t\n`;
    expect(rewrite(text, { encodedToken: "t" })).toBe(result);
  });

  test("that nobody knows keep the token", () => {
    expect(rewrite("{$d}/a.ts?b\n", { encodedToken: "t" })).toBe("{$d}/a.ts?b&r2h-token=t\n");
  });

  test("do not multiply", () => {
    const lines = [define("v0", "x".repeat(100))];
    for (let i = 1; i < 300; i++) lines.push(define(`v${i}`, `{$v${i - 1}}`.repeat(10)));
    expect(rewrite(`${lines.join("\n")}\n{$v299}/a\n`)!.length).toBeLessThan(64 * 1024);
  });
});

test("a line of more than 16 KiB stays as it is", () => {
  const long = "a".repeat(16 * 1024 - 14);
  expect(rewrite(`#EXT-X-A:URI=a,${long}\nb\n`)).toBe(`#EXT-X-A:URI=a,${long}\n/http/u/d/b\n`);
  expect(rewrite(`#EXT-X-A:URI=a,${long.slice(9)}\n`)).toStartWith("#EXT-X-A:URI=/http/u/d/a,");
});

test("a playlist that would grow beyond the limit is refused", () => {
  const upstream = `http://u/${"d".repeat(1000)}/x`;
  const linkBytes = `/http/u/${"d".repeat(1000)}/a`.length;
  const count = Math.floor(MAX_LINKS_BYTES / linkBytes);
  expect(rewrite("a\n".repeat(count), { upstream })).toHaveLength(count * (linkBytes + 1));
  expect(rewrite("a\n".repeat(count + 1), { upstream })).toBeUndefined();
  expect(rewrite(`#EXT-X-A:${",URI=a".repeat(1000)}\n`.repeat(count / 1000 + 1), { upstream })).toBeUndefined();
});

test("a CR is no part of a bare attribute value", () => {
  expect(rewrite("#EXT-X-A:URI=a\r\n", { encodedToken: "t" })).toBe("#EXT-X-A:URI=/http/u/d/a?r2h-token=t\r\n");
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
      .tuple(fc.constantFrom('#EXT-X-A:A="b",', "#EXT-X-A:", "#EXT-X-B: "), link)
      .map(([p, [from, to]]) => [`${p}URI="${from}"`, `${p}URI="${to}"`] as const),
    fc
      .constantFrom("", " ", "#EXTM3U", "#EXTINF:4,http://h/a", '#EXT-X-A:X-URI="a"')
      .map((same) => [same, same] as const),
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
