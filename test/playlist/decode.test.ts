import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeList } from "../../src/playlist/decode.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const decoded = async (bytes: Buffer) => (await decodeList(bytes)).toString();
/** CCTV-1 综合, 央视频道, 湖南卫视, 新闻 in GBK. */
const GBK = {
  zonghe: "\xd7\xdb\xba\xcf",
  yangshi: "\xd1\xeb\xca\xd3\xc6\xb5\xb5\xc0",
  hunan: "\xba\xfe\xc4\xcf\xce\xc0\xca\xd3",
  news: "\xd0\xc2\xce\xc5",
};

describe("a list in", () => {
  test.each<[what: string, bytes: Buffer, text: string]>([
    ["UTF-8", Buffer.from("\ufeff#EXTINF:-1,新闻\r\nétoile"), "\ufeff#EXTINF:-1,新闻\r\nétoile"],
    [
      "GBK",
      latin1(`${GBK.yangshi},#genre#\nCCTV-1 ${GBK.zonghe},http://h/1\n${GBK.hunan},http://h/2`),
      "央视频道,#genre#\nCCTV-1 综合,http://h/1\n湖南卫视,http://h/2",
    ],
    ["GBK, one word", latin1(`#EXTINF:-1,${GBK.news}\nhttp://h`), "#EXTINF:-1,新闻\nhttp://h"],
    [
      "GBK with lines that end in CR",
      latin1(`${GBK.yangshi},#genre#\r${GBK.hunan},http://h`),
      "央视频道,#genre#\r湖南卫视,http://h",
    ],
    [
      "GB18030",
      latin1(`${GBK.yangshi}\x90\x30\x81\x30 ${GBK.yangshi}${GBK.hunan}${GBK.zonghe},http://h`),
      "央视频道\u{10000} 央视频道湖南卫视综合,http://h",
    ],
    [
      "Latin-1",
      latin1("#EXTINF:-1,T\xe9l\xe9 Qu\xe9bec\nhttp://h/1\n#EXTINF:-1,M\xfcnchen\nhttp://h/2"),
      "#EXTINF:-1,Télé Québec\nhttp://h/1\n#EXTINF:-1,München\nhttp://h/2",
    ],
    [
      "Latin-1 with two accents in a row",
      latin1("#EXTINF:-1,Informa\xe7\xe3o\nhttp://h/1"),
      "#EXTINF:-1,Informação\nhttp://h/1",
    ],
    ["windows-1252", latin1("#EXTINF:-1,Caf\xe9 \x80 5\nhttp://h"), "#EXTINF:-1,Café € 5\nhttp://h"],
    [
      "windows-1251",
      latin1("#EXTINF:-1,\xcf\xe5\xf0\xe2\xfb\xe9 \xea\xe0\xed\xe0\xeb\nhttp://h"),
      "#EXTINF:-1,Первый канал\nhttp://h",
    ],
    [
      "Big5",
      latin1(
        "#EXTINF:-1,\xa5\xc1\xb5\xf8\xb7s\xbbD\xa5x\nhttp://h/1\n#EXTINF:-1,\xa4\xa4\xa4\xd1\xba\xee\xa6X\xa5x\nhttp://h/2",
      ),
      "#EXTINF:-1,民視新聞台\nhttp://h/1\n#EXTINF:-1,中天綜合台\nhttp://h/2",
    ],
    [
      "Shift_JIS",
      latin1(
        "#EXTINF:-1,\x83e\x83\x8c\x83r\x93\x8c\x8b\x9e\nhttp://h/1\n#EXTINF:-1,NHK\x91\x8d\x8d\x87 \x83j\x83\x85\x81[\x83X\nhttp://h/2",
      ),
      "#EXTINF:-1,テレビ東京\nhttp://h/1\n#EXTINF:-1,NHK総合 ニュース\nhttp://h/2",
    ],
    [
      "windows-1250, Polish",
      latin1(
        "#EXTINF:-1,Wiadomo\x9cci \xa3\xf3d\x9f\nhttp://h/1\n#EXTINF:-1,Pogoda dla \xbfeglarzy \xb3\xb9cz\xb9\nhttp://h/2",
      ),
      "#EXTINF:-1,Wiadomości Łódź\nhttp://h/1\n#EXTINF:-1,Pogoda dla żeglarzy łączą\nhttp://h/2",
    ],
    [
      "windows-1250, Czech",
      latin1(
        "#EXTINF:-1,\xc8esk\xe1 televize\nhttp://h/1\n#EXTINF:-1,\x8al\xe1gr P\xf8\xedb\xechy d\xect\xed\nhttp://h/2",
      ),
      "#EXTINF:-1,Česká televize\nhttp://h/1\n#EXTINF:-1,Šlágr Příběhy dětí\nhttp://h/2",
    ],
    [
      "windows-1252, with a ligature",
      latin1("#EXTINF:-1,C\x9cur d\x92\xe9t\xe9 \x96 \x9cuvre\nhttp://h"),
      "#EXTINF:-1,Cœur d’été – œuvre\nhttp://h",
    ],
    [
      "Latin-1, capitals before small letters",
      latin1("#EXTINF:-1,K\xe4rnten \xc4rger\nhttp://h/1\n#EXTINF:-1,C'\xe8 pi\xf9 citt\xe0 per\xf2\nhttp://h/2"),
      "#EXTINF:-1,Kärnten Ärger\nhttp://h/1\n#EXTINF:-1,C'è più città però\nhttp://h/2",
    ],
    [
      "two encodings, joined",
      Buffer.concat([Buffer.from("新闻,http://h\n"), latin1(`${GBK.hunan},http://h\n`)]),
      "新闻,http://h\n湖南卫视,http://h\n",
    ],
    ["ASCII", latin1("#EXTM3U\n"), "#EXTM3U\n"],
    ["nothing", latin1(""), ""],
  ])("%s", async (_, bytes, text) => {
    expect(await decoded(bytes)).toBe(text);
  });

  test.each([0, 1])("UTF-16, with a byte order mark (%d) and without, in both orders", async (mark) => {
    const text = `#EXTM3U\r\n#EXTINF:-1,新闻 📺 é\r\nhttp://h/${"x".repeat(70_001)}📺\r\n`;
    const little = Buffer.from((mark ? "\ufeff" : "") + text, "utf16le");
    const result = async (bytes: Buffer) => (await decoded(bytes)).replace("\ufeff", "");
    expect(await result(little)).toBe(text);
    expect(await result(Buffer.from(little).swap16())).toBe(text);
  });
});

test("whatever comes, UTF-8 comes out, and UTF-8 stays", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: "grapheme", maxLength: 30 }),
      async (noise, text) => {
        const result = await decodeList(Buffer.from(noise));
        expect(Buffer.from(result.toString()).equals(result)).toBe(true);
        const utf8 = Buffer.from(`#${text}`);
        if (!text.startsWith("\0")) expect((await decodeList(utf8)).equals(utf8)).toBe(true);
      },
    ),
  );
});
