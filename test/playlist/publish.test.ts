import { describe, expect, test } from "bun:test";
import { type GuideKind, PlaylistWriter } from "../../src/playlist/publish.ts";
import { asByteString, utf8Encode } from "../../src/wire/text/byte-string.ts";
import { bodyText } from "./body-text.ts";
import { listChannels } from "./list-channels.ts";
import { SCHEMES } from "./schemes.ts";

const BASE = "http://10.0.0.1:5140/";
const SEEK = "playseek={utc:YmdHMS}-{utcend:YmdHMS}";
const SHIFT = "playseek=\x24{start}-\x24{end}&r2h-now=\x24{timestamp}";
const INSTANTS = "playseek=\x24{start}-\x24{end}";

function published(text: string, token = "") {
  const { channels, entries } = listChannels([text], { appPathPrefix: asByteString(""), schemes: SCHEMES });
  const writer = new PlaylistWriter(utf8Encode(token));
  for (const entry of entries) writer.add(entry);
  return writer.finish(channels);
}

const lines = (text: string, token?: string, base = BASE, guide: GuideKind = "none") =>
  bodyText(published(text, token).body(asByteString(base), guide)).split("\n");

test("the example of the specification", () => {
  const text = [
    '#EXTM3U x-tvg-url="http://e/epg.xml.gz"',
    `#EXTINF:-1 group-title="News" catchup="append" catchup-source="?${SEEK}",One`,
    "rtsp://h/1",
    '#EXTINF:-1 group-title="News",Two',
    "rtp://239.0.0.1:5140$UHD",
  ].join("\n");
  expect(lines(text, "", BASE, "gzip")).toEqual([
    '#EXTM3U x-tvg-url="http://10.0.0.1:5140/epg.xml.gz"',
    "",
    `#EXTINF:-1 group-title="News" catchup="default" catchup-source="http://10.0.0.1:5140/News/One/catchup?${SEEK}",One`,
    "http://10.0.0.1:5140/News/One",
    "",
    '#EXTINF:-1 group-title="News",Two',
    "http://10.0.0.1:5140/News/Two/UHD$UHD",
    "",
    "",
  ]);
});

describe("the header", () => {
  test.each<[guide: GuideKind, token: string, header: string]>([
    ["none", "t", "#EXTM3U"],
    ["plain", "", '#EXTM3U x-tvg-url="http://10.0.0.1:5140/epg.xml"'],
    ["gzip", "a&b", '#EXTM3U x-tvg-url="http://10.0.0.1:5140/epg.xml.gz?r2h-token=a%26b"'],
  ])("with a guide that is %s and the token %j", (guide, token, header) => {
    expect(lines("#EXTINF:-1,A\nhttp://h", token, BASE, guide)[0]).toBe(header);
  });
});

test("the header keeps what else lists say in theirs", () => {
  const text = '#EXTM3U X-TVG-URL=http://e tvg-shift=-1 catchup="append" max-conn="2"\n#EXTM3U max-conn=\'3\' a="\'"\n';
  expect(lines(`${text}#EXTINF:-1,A\nhttp://h`, "", "/", "plain").slice(0, 3)).toEqual([
    '#EXTM3U x-tvg-url="/epg.xml" tvg-shift="-1" max-conn="2" a="\'"',
    "",
    '#EXTINF:-1 catchup="append" tvg-shift="-1",A',
  ]);
});

describe("an entry", () => {
  const entry = (text: string, token?: string, base?: string) => lines(text, token, base).slice(2, -2);

  test.each<[what: string, url: string, token: string, published: string]>([
    ["static parameters stay here", "rtsp://h/a?b=c&d", "", "/A"],
    ["those that a player fills go along", `rtsp://h/a?b=c&x=$y&${SEEK}&z`, "", `/A?x=$y&${SEEK}`],
    ["the token comes last", `rtsp://h/a?${SEEK}`, "t/ü", `/A?${SEEK}&r2h-token=t/%C3%BC`],
    ["the label comes behind all", "rtsp://h/a$H D", "t", "/A/H%20D?r2h-token=t$H D"],
  ])("%s", (_, url, token, result) => {
    expect(entry(`#EXTINF:-1,A\n${url}`, token, "/")).toEqual(["#EXTINF:-1,A", result]);
  });

  test("with any name, on any base", () => {
    expect(entry('#EXTINF:-1 group-title="新闻",a,b?c%📺', "", "/tv/")).toEqual([]);
    expect(entry('#EXTINF:-1 group-title="新闻",b?c%📺\nhttp://h', "", "/tv/")).toEqual([
      '#EXTINF:-1 group-title="新闻",b?c%📺',
      "/tv/%E6%96%B0%E9%97%BB/b%3Fc%25%F0%9F%93%BA",
    ]);
  });

  test("that is none of ours stays as it is", () => {
    const text = ["# a", '#EXTINF:-1 catchup="append" catchup-source="?a={utc}",A', "#EXTVLCOPT:x", "https://h/a$HD"];
    expect(entry(text.join("\n"), "t")).toEqual(text);
  });

  test("keeps its options between #EXTINF and URL, and lines between entries their place", () => {
    expect(lines("# a\n#EXTINF:-1,A\n#EXTVLCOPT:x\n#KODIPROP:y\nhttp://h\n# z")).toEqual([
      "#EXTM3U",
      "",
      "# a",
      "#EXTINF:-1,A",
      "#EXTVLCOPT:x",
      "#KODIPROP:y",
      "http://10.0.0.1:5140/A",
      "",
      "# z",
      "",
    ]);
  });
});

describe("catch-up", () => {
  const extinf = (attributes: string, token?: string, url = "rtsp://h/a") =>
    lines(`#EXTINF:-1 ${attributes},A\n${url}`, token, "/")[2];

  test.each<[attributes: string, result: string]>([
    [`catchup="append" catchup-source="?${SEEK}"`, `catchup="default" catchup-source="/A/catchup?${SEEK}"`],
    [`catchup=append catchup-source=?a={utc}`, `catchup="default" catchup-source="/A/catchup?${INSTANTS}"`],
    [`catchup-source="?a={utc}" catchup="append"`, `catchup-source="/A/catchup?${INSTANTS}" catchup="default"`],
    [
      `catchup-source="?a={utc}" CATCHUP='APPEND' x="1"`,
      `catchup-source="/A/catchup?${INSTANTS}" CATCHUP="default" x="1"`,
    ],
    [
      `catchup-type="append" catchup-source="?a={utc}"`,
      `catchup-type="default" catchup-source="/A/catchup?${INSTANTS}" catchup="default"`,
    ],
    [`catchup="shift" catchup-source="?a=1"`, `catchup="default" catchup-source="/A/catchup?${SHIFT}"`],
    ['catchup="shift"', `catchup="default" catchup-source="/A/catchup?${SHIFT}"`],
    ['catchup="default" catchup-source="?a=1"', 'catchup="default" catchup-source="/A/catchup"'],
    ['timeshift="7"', `timeshift="7" catchup="default" catchup-source="/A/catchup?${SHIFT}" catchup-days="7"`],
    [
      'timeshift="7" catchup-days="2"',
      `timeshift="7" catchup-days="2" catchup="default" catchup-source="/A/catchup?${SHIFT}"`,
    ],
    [
      'catchup="vod" catchup-source="?id={catchup-id}"',
      'catchup="vod" catchup-source="/A/catchup?r2h-catchup-id={catchup-id}"',
    ],
    [`catchup-source="?${SEEK}"`, `catchup-source="/A/catchup?${SEEK}" catchup="default"`],
    // Left as they are, but for what joins them to our URL.
    ['catchup="append" catchup-source="?a={x}"', 'catchup="append" catchup-source="?a={x}"'],
    ['catchup="append" catchup-source="&a={x}"', 'catchup="append" catchup-source="?a={x}"'],
    ['catchup="vod"', 'catchup="vod"'],
    ['catchup="vod" catchup-source="{catchup-id}"', 'catchup="vod" catchup-source="{catchup-id}"'],
    ['catchup="timeshift"', 'catchup="timeshift"'],
    ['catchup="fs"', 'catchup="fs"'],
    ['catchup="default" catchup-source="http://h/b?a=$utc"', 'catchup="default" catchup-source="http://h/b?a=$utc"'],
    ['catchup="append" catchup-source="https://h/b"', 'catchup="append" catchup-source="https://h/b"'],
    ['catchup="append"', 'catchup="append"'],
    ['catchup-source=?playseek={utc:"}', 'catchup-source="/A/catchup?playseek={utc:%22}" catchup="default"'],
  ])("%s", (attributes, result) => {
    expect(extinf(attributes)).toBe(`#EXTINF:-1 ${result},A`);
  });

  test("carries the token too", () => {
    expect(extinf(`catchup-source="?${SEEK}"`, "t")).toContain(`"/A/catchup?${SEEK}&r2h-token=t"`);
    expect(extinf('catchup-source="?a"', "t")).toContain('"/A/catchup?r2h-token=t"');
    expect(extinf('catchup="append" catchup-source="?a={x}"', "t")).toContain('"&a={x}"');
  });
});

describe("the ETag", () => {
  const text = "#EXTINF:-1,A\nhttp://h";
  const etag = (more = "", token = "", base = BASE, guide: GuideKind = "none") =>
    published(text + more, token).etag(asByteString(base), guide);

  test("is that of the specification, and the same for the same playlist", () => {
    expect(etag()).toMatch(/^"[0-9a-f]{32}"$/);
    expect(etag()).toBe(etag());
  });

  test("changes with everything that the body shows", () => {
    const all = [
      etag(),
      etag("\n#EXTINF:-1,B\nhttp://h"),
      etag("", "t"),
      etag("", "", "/"),
      etag("", "", BASE, "plain"),
      etag("", "", BASE, "gzip"),
      etag("\n#x"),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

test("a long playlist has each link in its place", () => {
  const entries = Array.from({ length: 3000 }, (_, i) => `#EXTINF:-1 catchup-source="?a={utc}",C${i}\nrtsp://h/${i}\n`);
  const links = Array.from({ length: 3000 }, (_, i) => [
    `#EXTINF:-1 catchup-source="${BASE}C${i}/catchup?${INSTANTS}" catchup="default",C${i}`,
    ...[`${BASE}C${i}`, ""],
  ]);
  expect(lines(entries.join(""))).toEqual(["#EXTM3U", "", ...links.flat(), ""]);
});

test("bodies for several bases in turn do not mix", () => {
  const playlist = published("#EXTINF:-1,A\nhttp://h\n#EXTINF:-1\n#EXTINF:-1,B\nhttps://h");
  for (const base of ["/", BASE, "/", "http://$&/"]) {
    expect(bodyText(playlist.body(asByteString(base), "none"))).toBe(
      `#EXTM3U\n\n#EXTINF:-1,A\n${base}A\n\n#EXTINF:-1,B\nhttps://h\n\n`,
    );
    expect(bodyText(playlist.body(asByteString(base), "plain"))).toContain(`"${base}epg.xml"`);
  }
});

test("a playlist is empty when it has no content", () => {
  expect(published("#EXTM3U x-tvg-url=http://e").isEmpty).toBe(true);
  expect(published("# a").isEmpty).toBe(false);
});

test("a body is made in pieces, each in the memory of the last", () => {
  const text = Array.from({ length: 3000 }, (_, i) => `#EXTINF:-1,C${i}\nrtsp://h/${i}\n`).join("");
  const { pieces } = published(text).body(asByteString(BASE), "none");
  const first = pieces.next().value as Uint8Array;
  const begin = Buffer.from(first).toString();
  const second = pieces.next().value as Uint8Array;
  expect(begin).toStartWith("#EXTM3U\n\n#EXTINF:-1,C0\n");
  expect([first.length, second.buffer]).toEqual([32 * 1024, first.buffer]);
  expect(Buffer.from(second).toString().startsWith("#EXTM3U")).toBe(false);
});
