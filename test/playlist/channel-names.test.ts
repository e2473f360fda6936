import { expect, test } from "bun:test";
import fc from "fast-check";
import { ChannelNames } from "../../src/playlist/channel-names.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const take = (wanted: readonly string[]) => {
  const names = new ChannelNames();
  return wanted.map((name) => names.take(asByteString(name)));
};

test.each<[wanted: string[], names: string[]]>([
  [
    ["A", "A", "A"],
    ["A", "A/2", "A/3"],
  ],
  [
    ["A/2", "A", "A"],
    ["A/2", "A", "A/3"],
  ],
  [
    ["A", "A/7", "A", "A"],
    ["A", "A/7", "A/8", "A/9"],
  ],
  [
    ["A", "A/1", "A"],
    ["A", "A/1", "A/2"],
  ],
  [
    ["A", "A/2", "A/2", "A"],
    ["A", "A/2", "A/2/2", "A/3"],
  ],
  [
    ["A", "A/999", "A", "A"],
    ["A", "A/999", "A/1000", "A/1001"],
  ],
  [
    ["A", "A/1000", "A/007", "A"],
    ["A", "A/1000", "A/007", "A/2"],
  ],
  [
    ["", ""],
    ["", "/2"],
  ],
])("%j", (wanted, names) => {
  expect(take(wanted)).toEqual<unknown>(names);
});

test("are unique, free ones stay, and 20 000 of the same name are no trouble", () => {
  const name = fc.constantFrom("A", "A/2", "A/3", "B", "B/999", "A/2/2");
  fc.assert(
    fc.property(fc.array(name, { maxLength: 60 }), (wanted) => {
      const names = take(wanted);
      expect(new Set(names).size).toBe(wanted.length);
      for (const [i, each] of wanted.entries())
        if (!names.slice(0, i).includes(asByteString(each))) expect(names[i]).toBe<unknown>(each);
    }),
  );
  expect(take(new Array(20_000).fill("A")).at(-1)).toBe<unknown>("A/20000");
});
