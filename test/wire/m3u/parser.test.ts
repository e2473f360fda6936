import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emitM3uHeader } from "../../../src/wire/m3u/header.ts";
import { emitM3uEntry, M3uParser, type M3uPlaylist, parseM3u } from "../../../src/wire/m3u/parser.ts";
import { asByteString, utf8Encode } from "../../../src/wire/text/byte-string.ts";

const MAX_REPORTED_LINES = 100;
const MAX_ENTRIES = 100_000;

const entries = (text: string) => parseM3u(asByteString(text)).entries;
const emit = ({ entries, trailing, guideUrls }: M3uPlaylist) =>
  emitM3uHeader(asByteString(guideUrls.join(","))) +
  entries.map(emitM3uEntry).join("") +
  trailing.map((line) => `${line}\n`).join("");

test("a whole playlist", () => {
  const text = utf8Encode(
    [
      '\ufeff#EXTM3U x-tvg-url="http://e/a.xml.gz, http://e/b.xml"',
      "# made by hand",
      '#EXTINF:-1 tvg-id="1" group-title="新闻" catchup-source="?playseek={utc}",频道 一 📺',
      "#EXTVLCOPT:network-caching=1000",
      "#KODIPROP:inputstream=ffmpeg",
      "rtp://239.0.0.1:5140$HD",
      "",
      "#SPORT",
      "#EXTINF:-1,Two\t ",
      "  http://h/2 ",
      "# the end",
    ].join("\r\n"),
  );
  expect(parseM3u(text)).toEqual<unknown>({
    guideUrls: ["http://e/a.xml.gz", "http://e/b.xml"],
    entries: [
      {
        line: 3,
        extinf: utf8Encode('#EXTINF:-1 tvg-id="1" group-title="新闻" catchup-source="?playseek={utc}",频道 一 📺'),
        name: utf8Encode("频道 一 📺"),
        group: utf8Encode("新闻"),
        catchup: { mode: "", source: "?playseek={utc}", olderDays: "" },
        before: ["# made by hand"],
        options: ["#EXTVLCOPT:network-caching=1000", "#KODIPROP:inputstream=ffmpeg"],
        headers: [],
        url: "rtp://239.0.0.1:5140$HD",
      },
      {
        line: 9,
        extinf: "#EXTINF:-1,Two",
        name: "Two",
        group: "",
        catchup: { mode: "", source: "", olderDays: "" },
        before: ["#SPORT"],
        options: [],
        headers: [],
        url: "http://h/2",
      },
    ],
    trailing: ["# the end"],
    attributes: new Map(),
    skipped: [],
    skippedCount: 0,
  });
});

describe("names", () => {
  test.each<[extinf: string, name: string]>([
    ["#EXTINF:-1,A", "A"],
    ["#EXTINF:0 , A ", "A"],
    ['#EXTINF:-1 group-title="a,b",C', "C"],
    ["#EXTINF:-1,News, the best", "News, the best"],
    ['#EXTINF:-1 tvg-name="A, B" group-title="G",', "A, B"],
    ["#EXTINF:-1,", "u"],
    ["#extinf:-1,A", "A"],
    ["\xef\xbb\xbf\xef\xbb\xbf #EXTINF:-1,A", "A"],
    ["#EXTINF:-1,\xe4\xb8\xa0", "\xe4\xb8\xa0"],
  ])("%s", (extinf, name) => {
    expect(entries(`${extinf}\nu`)[0]?.name).toBe<unknown>(name);
  });
});

describe("headers", () => {
  test.each<[header: string, urls: string[]]>([
    ["#EXTM3U", []],
    ['#EXTM3U x-tvg-url=""', []],
    ['#EXTM3U url-tvg="http://a"', ["http://a"]],
    ['#EXTM3U url-tvg="http://a" X-TVG-URL=http://b', ["http://a", "http://b"]],
    [
      '#extm3u tvg-url="http://a;http://b" url-epg="http://a/x,y http://c/1;2"',
      ["http://a", "http://b", "http://a/x,y", "http://c/1;2"],
    ],
    ['#EXTM3U x-tvg-url="a.xml, b.xml"', ["a.xml", "b.xml"]],
    ['#EXTM3U x-tvg-url="" url-tvg="http://a"', ["http://a"]],
    ["#EXTM3U x-tvg-url=http://a,http://b refresh=1", ["http://a", "http://b"]],
    ['#EXTM3U x-tvg-url=" http://a ,,"', ["http://a"]],
    ['#EXTM3U x-tvg-url="http://a"\n#EXTM3U', ["http://a"]],
    ['#EXTM3U x-tvg-url="http://a"\n#EXTM3U x-tvg-url="http://b"', ["http://a", "http://b"]],
  ])("%s", (header, urls) => {
    expect(parseM3u(asByteString(header)).guideUrls).toEqual<unknown>(urls);
  });

  test("set the catch-up of entries that do not", () => {
    const lines = entries(
      [
        '#EXTM3U catchup="append" catchup-source="?a={utc}" catchup-days=7',
        "#EXTINF:-1,A",
        "u",
        '#EXTINF:-1 catchup="shift" catchup-source="",B',
        "u",
        "#EXTM3U tvg-shift=2",
        "#EXTM3U",
        "#EXTINF:-1,C",
        "u",
      ].join("\n"),
    );
    expect(lines.map(({ extinf, catchup }) => [extinf, catchup.source])).toEqual<unknown>([
      ['#EXTINF:-1 catchup="append" catchup-days="7" catchup-source="?a={utc}",A', "?a={utc}"],
      ['#EXTINF:-1 catchup="shift" catchup-source="" catchup-days="7",B', ""],
      ['#EXTINF:-1 tvg-shift="2",C', ""],
    ]);
  });
});

test.each<[attributes: string, mode: string, source: string, olderDays: string]>([
  ['catchup="Append" catchup-source="?a"', "append", "?a", ""],
  ['catchup-type="flussonic"', "flussonic", "", ""],
  ['CATCHUP-TYPE=" FS "', "fs", "", ""],
  ['catchup="" catchup-type="xc"', "xc", "", ""],
  ['catchup="default" catchup-type="xc"', "default", "", ""],
  ['timeshift="7"', "shift", "", "7"],
  ['timeshift="1"', "shift", "", "1"],
  ['timeshift="7" catchup-days="3"', "shift", "", ""],
  ['timeshift="7" catchup-type="flussonic-ts"', "flussonic-ts", "", "7"],
  ['timeshift="0"', "", "", ""],
  ['timeshift="-2"', "", "", ""],
  ['timeshift="00007"', "", "", ""],
  ['tvg-rec="3"', "shift", "", "3"],
  ['tvg-rec="1"', "shift", "", ""],
  ['tvg-rec="0"', "", "", ""],
  ['tvg-rec="3" catchup-source="http://h/{utc}"', "", "http://h/{utc}", "3"],
])("an archive is told by %s", (attributes, mode, source, olderDays) => {
  expect(entries(`#EXTINF:-1 ${attributes},A\nu`)[0]?.catchup).toEqual<unknown>({ mode, source, olderDays });
});

test("catchup-type of a header is its catchup, and that of an entry beats it", () => {
  const [a, b] = entries(
    '#EXTM3U catchup-type="append" catchup-source="?a"\n#EXTINF:-1,A\nu\n#EXTINF:-1 catchup-type="xc",B\nu',
  );
  expect(a?.extinf).toBe<unknown>('#EXTINF:-1 catchup="append" catchup-source="?a",A');
  expect(b?.extinf).toBe<unknown>('#EXTINF:-1 catchup-type="xc" catchup-source="?a",B');
  expect([a, b].map((entry) => [entry?.catchup.mode, entry?.catchup.source])).toEqual<unknown>([
    ["append", "?a"],
    ["xc", ""],
  ]);
});

const shown = (text: string) => entries(text).map(({ extinf, group, url }) => `${extinf} ${group} ${url}`);

test.each<[what: string, text: string, shown: string[]]>([
  [
    "#EXTGRP of an entry",
    "#EXTINF:-1,A\n#EXTGRP: G \nu\n#EXTINF:-1,B\nv",
    ['#EXTINF:-1 group-title="G",A G u', "#EXTINF:-1,B  v"],
  ],
  [
    "#EXTGRP of all that follow",
    '#EXTGRP:G\n#EXTINF:-1,A\nu\n#EXTINF:-1 group-title="H",B\nv\n#extgrp:\n#EXTINF:-1,C\nw',
    ['#EXTINF:-1 group-title="G",A G u', '#EXTINF:-1 group-title="H",B H v', "#EXTINF:-1,C  w"],
  ],
  [
    "several URLs",
    "#EXTINF:-1,A\nhttp://a$L1\nhttp://b\n\n# c\nrtp://c\n#EXTINF:-1,B\nhttp://d?x#http://e$1#udp://@f",
    ["http://a$L1", "http://b", "rtp://c"]
      .map((url) => `#EXTINF:-1,A  ${url}`)
      .concat(["http://d?x", "http://e$1", "udp://@f"].map((url) => `#EXTINF:-1,B  ${url}`)),
  ],
  ["a fragment", "#EXTINF:-1,A\nhttp://a/b#c", ["#EXTINF:-1,A  http://a/b#c"]],
  [
    "bare URLs",
    "#EXTM3U\nhttp://u:p@h/live/user/pass/1.ts?token=2\nudp://@239.0.0.1:5000\nhttp://h/one/index.m3u8$x\nwords",
    [
      "#EXTINF:-1,1.ts  http://u:p@h/live/user/pass/1.ts?token=2",
      "#EXTINF:-1,239.0.0.1:5000  udp://@239.0.0.1:5000",
      "#EXTINF:-1,one/index.m3u8  http://h/one/index.m3u8$x",
    ],
  ],
  [
    "a text list",
    'A,http://a\nG "1",#genre#\nB, C,http://b?c=1,2#rtp://c$HD\n,#genre#\nD\xef\xbc\x8cHTTP://d\nno,words',
    [
      "#EXTINF:-1,A  http://a",
      `#EXTINF:-1 group-title="G '1'",B, C G "1" http://b?c=1,2`,
      `#EXTINF:-1 group-title="G '1'",B, C G "1" rtp://c$HD`,
      "#EXTINF:-1,D  HTTP://d",
    ],
  ],
  [
    "joined files",
    "#EXTM3U\n#EXTGRP:G\n#EXTINF:-1,A\nhttp://a\xef\xbb\xbf#EXTM3U\nhttp://b\nB,http://c#EXTINF:-1,D\nd",
    ['#EXTINF:-1 group-title="G",A G http://a', "#EXTINF:-1,b  http://b", "#EXTINF:-1,B  http://c", "#EXTINF:-1,D  d"],
  ],
  ["a page", "\n<html>\nhttp://a\nA,http://b\n", []],
  ["an answer for programs", '{"a":\nhttp://a', []],
])("%s", (_, text, result) => {
  for (const end of ["\n", "\r\n", "\r"]) expect(shown(text.replaceAll("\n", end))).toEqual(result);
});

describe("what is skipped", () => {
  const skipped = (text: string) => parseM3u(asByteString(text)).skipped.map(({ line, reason }) => `${line} ${reason}`);

  test.each<[text: string, lines: string[], names: string[]]>([
    ["u\n#EXTINF:-1,B\nu\nv", ["1 URL without an #EXTINF", "4 URL without an #EXTINF"], ["B"]],
    ["#EXTINF:-1,A\n#OPT\n#EXTINF:-1,B\nu", ["1 #EXTINF without a URL"], ["B"]],
    ["#EXTINF:-1,B\nu\n\n#EXTINF:-1,C\n", ["4 #EXTINF without a URL"], ["B"]],
  ])("%j", (text, lines, names) => {
    expect(skipped(text)).toEqual(lines);
    expect(entries(text).map(({ name }) => name)).toEqual<unknown>(names);
    expect(entries(text).flatMap(({ options }) => options)).toEqual([]);
  });

  test("is reported up to a limit, and counted beyond it", () => {
    const { skipped, skippedCount } = parseM3u(asByteString("u\n".repeat(MAX_REPORTED_LINES + 5)));
    expect([skipped.length, skippedCount]).toEqual([MAX_REPORTED_LINES, MAX_REPORTED_LINES + 5]);
  });

  test("entries beyond the limit", () => {
    const { entries, skippedCount, skipped } = parseM3u(asByteString("#EXTINF:-1,A\nu\n".repeat(MAX_ENTRIES + 2)));
    expect([entries.length, skippedCount, skipped[0]?.reason]).toEqual([MAX_ENTRIES, 2, "too many entries"]);
    const parser = new M3uParser();
    parser.push(asByteString("#EXTINF:-1,A\nu\n".repeat(MAX_ENTRIES)));
    expect(parser.takeEntries()).toHaveLength(MAX_ENTRIES);
    parser.push(asByteString("#EXTINF:-1,A\nu\n"));
    expect([parser.takeEntries(), parser.finish().skippedCount]).toEqual([[], 1]);
  });
});

describe("what a header sets for all entries", () => {
  const list = (source: string, count: number) =>
    parseM3u(asByteString(`#EXTM3U catchup="append" catchup-source="${source}"\n${"#EXTINF:-1,A\nu\n".repeat(count)}`));

  test("is not copied when it is too long for a request", () => {
    const { entries, skipped } = list("s".repeat(2049), 2);
    expect(skipped).toEqual([{ line: 1, reason: "#EXTM3U attribute too long for all entries" }]);
    expect(entries.map(({ extinf }) => extinf)).toEqual<unknown>(Array(2).fill('#EXTINF:-1 catchup="append",A'));
  });

  test("is copied up to a limit of bytes", () => {
    const { entries, skipped } = list("s".repeat(2048), 20_000);
    const bytes = entries.reduce((sum, { extinf }) => sum + extinf.length - "#EXTINF:-1,A".length, 0);
    expect(entries).toHaveLength(20_000);
    expect(bytes).toBeGreaterThan(16_000_000);
    expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(skipped.map(({ reason }) => reason)).toEqual(["#EXTM3U attributes too long for all further entries"]);
    expect(entries.at(-1)!.catchup.source).toBe(asByteString(""));
  });
});

describe("for all playlists", () => {
  const word = fc.stringMatching(/^[a-z0-9\xa0\xe4]{1,6}$/).map(asByteString);
  const option = word.map((text) => asByteString(`#O${text}`));
  const entry = fc.record({
    name: word,
    group: word,
    before: fc.array(option, { maxLength: 2 }),
    options: fc.array(option, { maxLength: 2 }),
    url: word,
  });

  test("what is emitted is read again", () => {
    fc.assert(
      fc.property(
        fc.array(entry),
        fc.array(option, { maxLength: 2 }),
        fc.uniqueArray(word, { maxLength: 2 }),
        (list, trailing, guideUrls) => {
          const text =
            emitM3uHeader(asByteString(guideUrls.join(","))) +
            list
              .map((e) => emitM3uEntry({ ...e, extinf: asByteString(`#EXTINF:-1 group-title="${e.group}",${e.name}`) }))
              .join("") +
            trailing.map((line) => `${line}\n`).join("");
          const playlist = parseM3u(asByteString(text));
          expect(playlist).toMatchObject({ entries: list, trailing, guideUrls, skippedCount: 0 });
          expect(emit(playlist)).toBe(text);
        },
      ),
    );
  });

  const fragment = fc.constantFrom(
    "#EXTM3U",
    "#EXTINF:",
    "-1",
    ",",
    "\n",
    "\r\n",
    " ",
    '"',
    "=",
    "group-title",
    "catchup-source",
    "x-tvg-url",
    "#EXTGRP:",
    "#genre#",
    "http://",
    "\r",
    "u",
    "$",
    "\xef\xbb\xbf",
    "\xff",
  );
  const near = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(""));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((all) => Buffer.from(all).toString("latin1"));

  test("random and truncated bytes never throw, and splitting at every byte changes nothing", () => {
    fc.assert(
      fc.property(fc.oneof(near, bytes), fc.nat(200), (text, length) => {
        parseM3u(asByteString(text.slice(0, length)));
        const whole = parseM3u(asByteString(text));
        for (let at = 0; at <= text.length; at++) {
          const parser = new M3uParser();
          parser.push(asByteString(text.slice(0, at)));
          const taken = at % 2 === 0 ? parser.takeEntries() : [];
          parser.push(asByteString(text.slice(at)));
          const rest = parser.finish();
          expect<M3uPlaylist>({ ...rest, entries: [...taken, ...rest.entries] }).toEqual(whole);
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("20 000 entries take far less than half a second", () => {
  const lines = ['#EXTM3U catchup="append" catchup-source="?playseek={utc:YmdHMS}-{utcend:YmdHMS}"'];
  for (let i = 0; i < 20_000; i++) {
    lines.push(
      `#EXTINF:-1 tvg-id="c${i}" tvg-logo="http://logo/${i}.png" group-title="G ${i % 50}",Channel ${i}`,
      `rtsp://h/${i}$HD`,
    );
  }
  const text = lines.join("\n");
  const before = process.cpuUsage();
  expect(parseM3u(asByteString(text)).entries).toHaveLength(20_000);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(500);
});

describe("what is too long", () => {
  const long = "a".repeat(256 * 1024);
  const pushed = (text: string, pieceBytes: number) => {
    const parser = new M3uParser();
    for (let at = 0; at < text.length; at += pieceBytes) parser.push(asByteString(text.slice(at, at + pieceBytes)));
    return parser.finish();
  };

  test.each([100, 8192, 10_000_000])("is one line, whatever it says, in pieces of %d", (pieceBytes) => {
    const lines = [
      ...[`#EXTINF:,${long}`, "rtp://b", "#EXTINF:,c", `rtp://${long}`, "#EXTINF:,d", `#EXTVLCOPT:${long}`, "rtp://d"],
      ...[`#${long}`, "#EXTINF:,e", "rtp://e", `#EXTINF:,${long}`],
    ];
    const { entries, skipped } = pushed(lines.join("\n"), pieceBytes);
    expect(entries.map(({ name, url }) => `${name} ${url}`)).toEqual(["d rtp://d", "e rtp://e"]);
    expect(skipped.map(({ line, reason }) => [line, reason])).toEqual(
      [1, 4, 6, 8, 11].map((line) => [line, "longer than 256 KiB"]),
    );
  });

  test("are the # lines of one entry together", () => {
    const comments = "#a\n".repeat(50_000);
    const { entries, trailing, skippedCount } = pushed(
      `${comments}#EXTINF:,a\n${comments}rtp://a\nno\n${comments}no\n${comments}#EXTINF:,b\n#c\nrtp://b\n${comments}`,
      8192,
    );
    const kept = entries.map(({ before, options }) => before.length + options.length);
    expect(kept[0]).toBeWithin(10_000, 20_000);
    expect(kept[1]).toBe(kept[0]!);
    expect(trailing.length).toBe(kept[0]!);
    expect(skippedCount).toBeGreaterThan(200_000);
  });
});
