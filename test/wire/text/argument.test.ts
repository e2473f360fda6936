import { expect, test } from "bun:test";
import fc from "fast-check";
import { splitArguments } from "../../../src/wire/text/argument.ts";

test.each([
  ["", []],
  ["  \t ", []],
  ["-hwaccel none", ["-hwaccel", "none"]],
  [" -a  'b c'\t\"d 'e\" ", ["-a", "b c", "d 'e"]],
  [`--x="a b"'c d'e`, ["--x=a bc de"]],
  [`"" ''`, ["", ""]],
  ["'open to the end", ["open to the end"]],
  [`-vf "scale=1:2`, ["-vf", "scale=1:2"]],
  ["$(rm) `x` \\ ;|&", ["$(rm)", "`x`", "\\", ";|&"]],
])("%j", (text, expected) => {
  expect(splitArguments(text)).toEqual(expected as string[]);
});

test("quoted arguments come out as they went in", () => {
  const argument = fc.string().filter((text) => !text.includes('"'));
  fc.assert(
    fc.property(fc.array(argument), (words) => {
      expect(splitArguments(words.map((word) => `"${word}"`).join(" "))).toEqual(words);
    }),
  );
});
