import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addAttribute, findAttribute, trimAsciiBlanks } from "../../../src/wire/m3u/attributes.ts";

describe("an attribute", () => {
  test.each<[line: string, name: string, value: string | undefined]>([
    ['#EXTINF:-1 a="1",N', "a", "1"],
    ["#EXTINF:-1 a=1 b=2,N", "a", "1"],
    ["#EXTINF:-1 a=1,N", "a", "1"],
    ['#EXTINF:-1 a="x, y",N', "a", "x, y"],
    ['#EXTINF:-1 a="1"b="2",N', "b", "2"],
    ['#EXTINF:-1 a="1" a="2",N', "a", "1"],
    ['#EXTINF:-1 a="",N', "a", ""],
    ["#EXTINF:-1 a=,N", "a", ""],
    ["#EXTINF:-1 a=", "a", ""],
    ['#EXTINF:-1 a="open b=2,N', "a", "open"],
    ['#EXTINF:-1 a="', "a", ""],
    ["#EXTINF:-1 A=1,N", "a", undefined],
    ["#EXTINF:-1,N", "a", undefined],
  ])("of %j named %j", (line, name, value) => {
    expect(findAttribute(line, name)?.value).toBe(value!);
  });

  test("is found in any case and with commas when asked so", () => {
    expect(
      findAttribute("#EXTM3U X-Tvg-URL=http://a,http://b c", "x-tvg-url", { ignoreCase: true, withCommas: true }),
    ).toEqual({
      value: "http://a,http://b",
      start: 18,
      end: 35,
    });
  });

  test("is replaced where it says it stands", () => {
    for (const line of ['#EXTINF:-1 a="1" b,N', "#EXTINF:-1 a=1 b,N"]) {
      const { start, end } = findAttribute(line, "a")!;
      expect(`${line.slice(0, start)}"2"${line.slice(end)}`).toBe('#EXTINF:-1 a="2" b,N');
    }
  });

  test("is added before the name", () => {
    expect(addAttribute('#EXTINF:-1 a="b,c",N', "d", "e")).toBe('#EXTINF:-1 a="b,c" d="e",N');
    expect(addAttribute("#EXTINF:-1", "d", "e")).toBe('#EXTINF:-1 d="e"');
  });

  test("that was added is found, and nothing throws", () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((all) => Buffer.from(all).toString("latin1"));
    fc.assert(
      fc.property(bytes, bytes, (line, value) => {
        findAttribute(line, "a");
        const added = addAttribute(line.replaceAll("new=", ""), "new", value.replaceAll('"', ""));
        expect(findAttribute(added, "new")?.value).toBe(value.replaceAll('"', ""));
      }),
    );
  });
});

test("only ASCII blanks are trimmed", () => {
  expect(trimAsciiBlanks(" \t\r\n\v\fa b\r ")).toBe("a b");
  // The last byte of U+4E20 and U+00E0 in UTF-8.
  expect(trimAsciiBlanks("\xe4\xb8\xa0 \xa0\x85")).toBe("\xe4\xb8\xa0 \xa0\x85");
  expect(trimAsciiBlanks(" \t ")).toBe("");
});
