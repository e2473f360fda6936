import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findAttribute, readAttributeLine } from "../../../src/wire/m3u/attributes.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";

describe("a name", () => {
  test.each<[line: string, name: string]>([
    ["#EXTINF:-1,Salt, Pepper", "Salt, Pepper"],
    ['#EXTINF:-1 a="x, y" b="(.*),",Sea FM', "Sea FM"],
    ['#EXTINF:0 a="1", Sport 5 ', "Sport 5"],
    ['#EXTINF:0 a="Locals,KTTW', "KTTW"],
    ["#EXTINF:-1 a='1, 2' b=3,N", "N"],
    ['#EXTINF:-1,a="1" b="x,y",N, M', "N, M"],
    ["#EXTINF:-1 Channel One", "Channel One"],
    ['#EXTINF:-1 a="1" Channel One', "Channel One"],
    ["#EXTINF -1,N", "N"],
    ["#extinf:-1.5,N", "N"],
    ["#EXTINF:-1", ""],
    ["#EXTINF:-1,", ""],
  ])("of %s", (line, name) => {
    expect(readAttributeLine(asByteString(line)).name).toBe<unknown>(name);
  });
});

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
    ["#EXTINF:-1 A=1,N", "a", "1"],
    ["#EXTINF:-1 a='1, \"2\"' b=3,N", "a", '1, "2"'],
    ['#EXTINF:-1 a = "1" , N', "a", "1"],
    ['#EXTINF:-1 a= b="2",N', "a", ""],
    ['#EXTINF:-1 x-a="2" b="a=3" c=a=4 a=1,N', "a", "1"],
    ['#EXTINF:-1a="1",N', "a", "1"],
    ['#EXTINF:-1,a="1" b="2",N', "b", "2"],
    ['#EXTINF:-1 a="The "Best" Show" b=2,N', "b", "2"],
    ["#EXTINF:-1 a='Kid's TV' b=2,N", "a", "Kid's TV"],
    ["#EXTINF:-1 tvg-name=O'Brien a='1',N", "a", "1"],
    ['#EXTINF:-1,N a="1"', "a", undefined],
    ["#EXTINF:-1 a=\xe4\xb8\xa0\xc2\x85,N", "a", "\xe4\xb8\xa0\xc2\x85"],
    ["#EXTINF:-1,N", "a", undefined],
  ])("of %j named %j", (line, name, value) => {
    expect(findAttribute(asByteString(line), name)?.value).toBe<unknown>(value!);
  });

  test("of a header holds commas", () => {
    expect(findAttribute(asByteString("#EXTM3U X-Tvg-URL=http://a,http://b c"), "x-tvg-url")).toEqual<unknown>({
      name: "x-tvg-url",
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
});

test("attributes that are written in any of their forms are read again, and the name behind them", () => {
  const text = fc
    .array(fc.constantFrom("a", "B", "=", " ", ",", "1", "é"), { maxLength: 12 })
    .map((all) => all.join(""));
  const quote = fc.constantFrom('"', "'");
  const attribute = fc.record({ name: fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,8}$/), value: text, quote });
  const gap = fc.constantFrom(" ", "  ", "\t", ", ");
  const equals = fc.constantFrom("=", " =", "= ", " = ");
  const name = fc.stringMatching(/^[a-z]([a-z, ]{0,9}[a-z])?$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(gap, attribute, equals)), name, (written, shown) => {
      const parts = written.map(
        ([before, { name: own, value, quote: q }, sign]) => `${before}${own}${sign}${q}${value}${q}`,
      );
      const read = readAttributeLine(asByteString(`#EXTINF:-1${parts.join("")},${shown}`));
      expect(read.attributes.map(({ name: own, value }) => [own, value])).toEqual<unknown>(
        written.map(([, { name: own, value }]) => [own.toLowerCase(), value]),
      );
      expect(read.name).toBe<unknown>(shown);
    }),
  );
});

test.each([`a='x b="y `, '"a', 'a="b', " ", "a ", ",a=", "a", "a = ", ", ,"])(
  "a line full of %j takes no time",
  (part) => {
    const line = asByteString(`#EXTINF:-1 ${part.repeat(Math.floor(250_000 / part.length))}`);
    const before = process.cpuUsage();
    readAttributeLine(line);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1000);
  },
);
