import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChannelList } from "../../src/playlist/channels.ts";
import type { EntryUrlRules } from "../../src/playlist/entry-url.ts";
import { asByteString, utf8Encode } from "../../src/wire/text/byte-string.ts";
import { percentEncode } from "../../src/wire/url/percent.ts";
import { listChannels } from "./list-channels.ts";
import { SCHEMES } from "./schemes.ts";

const RULES: EntryUrlRules = {
  appPathPrefix: asByteString(""),
  schemes: SCHEMES,
};
const list = (...texts: string[]) => listChannels(texts, RULES);
const names = ({ entries }: ReturnType<typeof list>) => entries.map(({ channel }) => channel?.name);
const found = (channels: ChannelList, path: string) => {
  const channel = channels.find(asByteString(path));
  return channel === "invalid" ? channel : channel?.url;
};

describe("channels", () => {
  test("have group, name and label in their names", () => {
    const { channels, entries } = list(
      '#EXTINF:-1 group-title="News;World",One\nrtp://239.0.0.1:5140/?fcc=10.0.0.1:1$UHD\n#EXTINF:-1,Two\nrtsp://h/2',
    );
    expect(channels.main).toEqual(entries.map(({ channel }) => channel!));
    expect(channels.main).toEqual<unknown>([
      {
        ...{ name: "News;World/One/UHD", address: "News;World/One/UHD" },
        ...{ url: "rtp://239.0.0.1:5140/?fcc=10.0.0.1:1", label: "UHD", headers: [] },
      },
      { name: "Two", address: "Two", url: "rtsp://h/2", label: "", headers: [] },
    ]);
    expect(channels.size).toBe(2);
  });

  test.each<[url: string, address: string]>([
    ["http://h/a.m3u8", "A.m3u8"],
    ["http://h/a.M3U8?x=1", "A.m3u8"],
    ["http://h/a.m3u8;id=1", "A.m3u8"],
    ["http://h/a.m3u8&Playseek=1?b", "A.m3u8"],
    ["http://h/list.php?f=a.m3u8&b", "A.m3u8"],
    ["http://h/a.m3u8/x.ts", "A.m3u8"],
    ["http://h/a.m3u8x", "A"],
    ["http://a.m3u8/x.ts", "A"],
    ["http://h/a.m3u", "A"],
    ["http://h/a.ts", "A"],
    ["rtsp://h/a.m3u8", "A"],
  ])("of %j has the address %j, and is found by both", (url, address) => {
    const { channels, entries } = list(`#EXTINF:-1,A\n${url}`);
    expect(entries[0]!.channel).toMatchObject({ name: "A", address });
    for (const path of ["/A", "/A.m3u8", "/A.M3U8", "/A.m3u8/", "/A.m3u8$HD"])
      expect(found(channels, path)).toBe<unknown>(url);
  });

  test("of HLS do not take the address of another", () => {
    const { channels, entries } = list(
      ["A", "A.m3u8", "B.m3u8", "B"].map((name, i) => `#EXTINF:-1,${name}\nhttp://h/${i}.m3u8\n`).join(""),
    );
    expect(entries.map(({ channel }) => channel?.address)).toEqual<unknown>(["A.m3u8", "A.m3u8/2.m3u8", "B.m3u8", "B"]);
    for (const { channel } of entries) expect(channels.find(asByteString(`/${channel!.address}`))).toBe(channel!);
  });

  test("with a password prescribe it for their own server", () => {
    const { channels } = list(
      "#EXTINF:-1,A\nhttp://u:p@h/a.ts\n#EXTINF:-1,B\nhttp://h/a@b.ts\n#EXTINF:-1,C\nrtsp://u:p@h/",
    );
    expect(channels.prescribed(asByteString("A"))).toEqual<unknown>({
      channel: "A",
      headers: [],
      url: "http://u:p@h/a.ts",
    });
    expect(["B", "C"].map((name) => channels.prescribed(asByteString(name)))).toEqual([undefined, undefined]);
  });

  test("are those of all lists, in their order, and duplicates are numbered", () => {
    const text = "#EXTINF:-1,A\nhttp://h/1\n#EXTINF:-1,A\nhttp://h/1";
    expect(names(list(text, text))).toEqual<unknown>(["A", "A/2", "A/3", "A/4"]);
  });

  test("keep their names when others come and go", () => {
    const entry = fc.nat(20).map((i) => ({ name: `C${i}`, text: `#EXTINF:-1 group-title="G",C${i}\nhttp://h/${i}\n` }));
    const entries = fc.uniqueArray(entry, { selector: ({ name }) => name });
    fc.assert(
      fc.property(entries, fc.array(fc.nat(20)), (all, gone) => {
        const rest = all.filter((_, i) => !gone.includes(i)).toReversed();
        expect(names(list(rest.map(({ text }) => text).join("")))).toEqual<unknown>(
          rest.map(({ name }) => `G/${name}`),
        );
      }),
    );
  });

  test("are not made of URLs of others, nor of broken ones", () => {
    const made = list(
      '#EXTINF:-1,A\nhttps://h/1\n#EXTINF:-1,B\nrtp://nowhere:0\n#EXTINF:-1 catchup-source="?a",C\nmms://h',
    );
    expect([names(made), made.channels.main, made.channels.size]).toEqual([[undefined, undefined, undefined], [], 0]);
  });

  test("name each guide once", () => {
    const header = '#EXTM3U x-tvg-url="http://a,http://b"\n';
    expect(list(header, "#EXTM3U", header, "#EXTM3U x-tvg-url=http://c").channels.guideUrls).toEqual<unknown>([
      "http://a",
      "http://b",
      "http://c",
    ]);
  });
});

describe("request headers", () => {
  const headers = (text: string) =>
    list(text).entries.map(({ channel }) => [channel?.url, channel?.label, channel?.headers]);

  test.each<[what: string, text: string, url: string, headers: [string, string][]]>([
    [
      "pairs behind a pipe",
      "#EXTINF:-1,A\nhttp://h/a|User-Agent=Mozilla/5.0 (X11)&Referer=http://r/p.php?a=1&b=2$HD",
      "http://h/a",
      [
        ["User-Agent", "Mozilla/5.0 (X11)"],
        ["Referer", "http://r/p.php?a=1&b=2"],
      ],
    ],
    [
      "encoded pairs",
      "#EXTINF:-1,A\nhttp://h/a$HD%7Cuser-agent=A%20B&X-Auth=%3D&verifypeer=false",
      "http://h/a",
      [
        ["User-Agent", "A B"],
        ["X-Auth", "="],
      ],
    ],
    ["a program alone", "#EXTINF:-1,A\nhttp://h/a|FooBar/1.2.3$HD", "http://h/a", [["User-Agent", "FooBar/1.2.3"]]],
    ["no pairs", "#EXTINF:-1,A\nhttp://h/x[1]|2^{3}`4`.ts?u=a|b=c$HD", "http://h/x[1]|2^{3}`4`.ts?u=a|b=c", []],
    ["a template with a pipe", "#EXTINF:-1,A\nhttp://h/\x24{(b)yyyy|UTC}/a$HD", "http://h/\x24{(b)yyyy|UTC}/a", []],
    [
      "VLC's",
      '#EXTINF:-1,A\n#EXTVLCOPT:http-referrer=http://r/\n#EXTVLCOPT:--http-user-agent="X (Y)"\n#EXTVLCOPT:network-caching=1\nhttp://h/a$HD',
      "http://h/a",
      [
        ["Referer", "http://r/"],
        ["User-Agent", "X (Y)"],
      ],
    ],
    [
      "JSON",
      '#EXTINF:-1,A\n#EXTHTTP:{"cookie":"a=b","X-N":5,"Host":"x","y":{}}\n#EXTHTTP:{\nhttp://h/a$HD',
      "http://h/a",
      [
        ["Cookie", "a=b"],
        ["X-N", "5"],
      ],
    ],
    [
      "Kodi's",
      "#EXTINF:-1,A\n#KODIPROP:inputstream.adaptive.stream_headers=Cookie=s%3Dabc&Origin=http://o\n#KODIPROP:inputstream=x\nhttp://h/a$HD",
      "http://h/a",
      [
        ["Cookie", "s=abc"],
        ["Origin", "http://o"],
      ],
    ],
    [
      "attributes",
      "#EXTM3U user-agent='L' http-referrer=R\n#EXTINF:-1 User-Agent=\"E\",A\nhttp://h/a$HD",
      "http://h/a",
      [
        ["User-Agent", "E"],
        ["Referer", "R"],
      ],
    ],
    [
      "the strongest of several",
      "#EXTM3U user-agent=1\n#EXTINF:-1 user-agent=2,A\n#EXTVLCOPT:http-user-agent=3\nhttp://h/a|User-Agent=4$HD",
      "http://h/a",
      [["User-Agent", "4"]],
    ],
    [
      "with blanks around what joins them",
      "#EXTINF:-1,A\nhttp://h/a | User-Agent = a b & Referer = http://r/",
      "http://h/a",
      [
        ["User-Agent", "a b"],
        ["Referer", "http://r/"],
      ],
    ],
    [
      "an address of a country",
      "#EXTINF:-1,A\nhttp://h/a|X-Forwarded-For=1.2.3.4",
      "http://h/a",
      [["X-Forwarded-For", "1.2.3.4"]],
    ],
    [
      "options before #EXTINF",
      "#EXTVLCOPT:http-user-agent=1\n#EXTINF:-1,A\nhttp://h/a",
      "http://h/a",
      [["User-Agent", "1"]],
    ],
    [
      "options before and behind it",
      '#KODIPROP:inputstream.adaptive.stream_headers=Origin=1\n#EXTVLCOPT:http-user-agent=1\n#EXTINF:-1 origin="2",A\n#EXTVLCOPT:http-user-agent=2\nhttp://h/a',
      "http://h/a",
      [
        ["User-Agent", "2"],
        ["Origin", "1"],
      ],
    ],
    ["nothing behind the bar", "#EXTINF:-1,A\nhttp://h/a|", "http://h/a", []],
    [
      "single quotes in JSON",
      "#EXTINF:-1,A\n#EXTHTTP:{'User-Agent':'1'}\nhttp://h/a",
      "http://h/a",
      [["User-Agent", "1"]],
    ],
    [
      "VLC's names as Kodi's",
      "#EXTINF:-1,A\n#KODIPROP:http-user-agent=1\nhttp://h/a",
      "http://h/a",
      [["User-Agent", "1"]],
    ],
    ["options before a bare URL", "#EXTVLCOPT:http-user-agent=1\nhttp://h/a", "http://h/a", [["User-Agent", "1"]]],
    [
      "what may not be sent",
      `#EXTINF:-1,A\nhttp://h/a|Content-Length=5&Range=1&X-Ok=1&X-Long=${"a".repeat(5000)}`,
      "http://h/a",
      [["X-Ok", "1"]],
    ],
  ])("%s", (_, text, url, wanted) => {
    const [[found, label, read]] = headers(text) as [unknown[]];
    expect([found, label, read]).toEqual([url, text.includes("$HD") ? "HD" : "", wanted]);
  });

  test("are those of catch-up too, and no text makes them throw", () => {
    const { entries } = list('#EXTINF:-1 catchup-source="?a={utc}",A\nhttp://h/a|User-Agent=X');
    expect(entries[0]?.catchup?.headers).toEqual([["User-Agent", "X"]]);
    const piped = list('#EXTINF:-1 catchup-source="?a=\x24{(b)HH|UTC}|Referer=Y",A\nhttp://h/a|User-Agent=X').entries[0]
      ?.catchup;
    expect(piped?.url).toBe<unknown>("http://h/a?a=\x24{(b)HH|UTC}");
    expect(piped?.headers.toSorted()).toEqual<unknown>([
      ["Referer", "Y"],
      ["User-Agent", "X"],
    ]);
    const part = fc.constantFrom(
      "|",
      "%7C",
      "User-Agent",
      "=",
      "&",
      "%",
      "a",
      "$",
      "/",
      "1",
      "#EXTHTTP:",
      "#EXTVLCOPT:http-",
      "{",
      '"',
      "\n",
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => void list(`#EXTINF:-1,A\n${parts.join("")}\nhttp://h/${parts.join("")}`)),
    );
  });
});

describe("catch-up", () => {
  const catchup = (source: string, url = "rtsp://h/a$HD") =>
    list(`#EXTINF:-1 catchup-source="${source}",A\n${url}`).entries[0]?.catchup;

  test.each<[source: string, url: string, upstream: string | undefined]>([
    ["?playseek={utc}", "rtsp://h/a$HD", "rtsp://h/a?playseek={utc}"],
    ["&playseek={utc}", "rtsp://h/a$HD", "rtsp://h/a?playseek={utc}"],
    ["playseek={utc}", "rtsp://h/a?b=1", "rtsp://h/a?b=1&playseek={utc}"],
    ["?a=\x24{(b)yyyy}$x", "rtsp://h/a", "rtsp://h/a?a=\x24{(b)yyyy}$x"],
    ["?a", "http://r/rtp/239.0.0.1", "rtp://239.0.0.1?a"],
    ["rtsp://h2/b?c={utc}", "rtsp://h/a", "rtsp://h2/b?c={utc}"],
    ["http://r:5140/rtsp/h2/b", "rtsp://h/a", "rtsp://h2/b"],
    ["https://h2/b", "rtsp://h/a", undefined],
    ["rtmp://h2/b", "rtsp://h/a", undefined],
    ["rtp://nowhere:0", "rtsp://h/a", undefined],
    ["", "rtsp://h/a", undefined],
  ])("%s for %s", (source, url, upstream) => {
    expect(catchup(source, url)?.url).toBe<unknown>(upstream!);
  });

  test("has a name of its own, numbered like all", () => {
    const entry = '#EXTINF:-1 group-title="G" catchup-source="?a={utc}",A\nrtsp://h/a$HD\n';
    const { channels, entries } = list(`${entry}#EXTINF:-1 group-title="G/A/HD",catchup\nhttp://h/x\n${entry}`);
    expect(channels.main.map(({ name }) => name)).toEqual<unknown>(["G/A/HD", "G/A/HD/catchup/2", "G/A/HD/2"]);
    expect(entries.map(({ channel, catchup }) => [channel?.name, catchup?.name])).toEqual<unknown>([
      ["G/A/HD", "G/A/HD/catchup"],
      ["G/A/HD/catchup/2", undefined],
      ["G/A/HD/2", "G/A/HD/2/catchup"],
    ]);
    expect(found(channels, "/G/A/HD/catchup")).toBe<unknown>("rtsp://h/a?a={utc}");
  });
});

describe("a request path", () => {
  const text = ["新闻 📺", "a b%20c?d=e", "Ca$h", "A", "A/", "x//y", "HD$1"]
    .map((name, i) => `#EXTINF:-1,${name}\nhttp://h/${i}\n`)
    .join("");
  const { channels } = list(text);

  test.each<[path: string, url: string | undefined]>([
    ["/%E6%96%B0%E9%97%BB%20%F0%9F%93%BA", "http://h/0"],
    [`/${utf8Encode("新闻 📺")}`, "http://h/0"],
    ["/a%20b%2520c%3Fd%3De", "http://h/1"],
    ["/Ca%24h", "http://h/2"],
    ["/A", "http://h/3"],
    ["/A%24HD", "http://h/3"],
    ["/A/", "http://h/4"],
    ["/HD%241/", "http://h/6"],
    ["/x//y", "http://h/5"],
    ["/x/y", undefined],
    ["/a", undefined],
    ["/", undefined],
    ["/%zz", "invalid"],
    ["/A%2", "invalid"],
  ])("%s", (path, url) => {
    expect(found(channels, path)).toBe<unknown>(url!);
  });

  test("made of any name finds its channel", () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 12 })
      .filter((each) => !/[,\p{Cc}\p{Cs}]/u.test(each) && each.trim() === each && each !== "");
    fc.assert(
      fc.property(name, (each) => {
        const { channels: one, entries } = list(`#EXTINF:-1,${each}\nhttp://h/1`);
        const channel = entries[0]!.channel!;
        expect(channel.name).toBe(utf8Encode(each));
        expect(one.find(asByteString(`/${percentEncode(channel.name)}`))).toBe(channel);
      }),
      { numRuns: 500 },
    );
  });
});
