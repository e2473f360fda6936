import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addAttribute, findAttribute } from "../../../src/wire/m3u/attributes.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";

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
    expect(findAttribute(asByteString(line), name)?.value).toBe<unknown>(value!);
  });

  test("is found in any case and with commas when asked so", () => {
    expect(
      findAttribute(asByteString("#EXTM3U X-Tvg-URL=http://a,http://b c"), "x-tvg-url", {
        ignoreCase: true,
        withCommas: true,
      }),
    ).toEqual<unknown>({
      value: "http://a,http://b",
      start: 18,
      end: 35,
    });
  });

  test("is replaced where it says it stands", () => {
    for (const line of ['#EXTINF:-1 a="1" b,N', "#EXTINF:-1 a=1 b,N"]) {
      const { start, end } = findAttribute(asByteString(line), "a")!;
      expect(`${line.slice(0, start)}"2"${line.slice(end)}`).toBe('#EXTINF:-1 a="2" b,N');
    }
  });

  test("is added before the name", () => {
    expect(addAttribute(asByteString('#EXTINF:-1 a="b,c",N'), "d", asByteString("e"))).toBe<unknown>(
      '#EXTINF:-1 a="b,c" d="e",N',
    );
    expect(addAttribute(asByteString("#EXTINF:-1"), "d", asByteString("e"))).toBe<unknown>('#EXTINF:-1 d="e"');
  });

  test("that was added is found, and nothing throws", () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((all) => Buffer.from(all).toString("latin1"));
    fc.assert(
      fc.property(bytes, bytes, (line, value) => {
        findAttribute(asByteString(line), "a");
        const added = addAttribute(
          asByteString(line.replaceAll("new=", "")),
          "new",
          asByteString(value.replaceAll('"', "")),
        );
        expect(findAttribute(added, "new")?.value).toBe<unknown>(value.replaceAll('"', ""));
      }),
    );
  });
});
