import { expect, test } from "bun:test";
import fc from "fast-check";
import { isNamed, joinUrl, parseParameter, splitUrl } from "../../src/timeshift/url-parameters.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

test.each([
  ["h/p", "h/p", []],
  ["h/p?", "h/p", [["", undefined]]],
  ["h/p?a", "h/p", [["a", undefined]]],
  ["h/p?a=", "h/p", [["a", ""]]],
  [
    "h/p?a=1=2&b?c=%zz",
    "h/p",
    [
      ["a", "1=2"],
      ["b?c", "%zz"],
    ],
  ],
])("%j", (url, path, parameters) => {
  const split = splitUrl(asByteString(url));
  expect(split.path).toBe<unknown>(path);
  expect(split.parameters.map(({ name, value }) => [name, value])).toEqual<unknown>(parameters as [string, string][]);
});

test("names are compared without regard to case", () => {
  expect(isNamed(parseParameter(asByteString("PlaySeek=1")), "playseek")).toBe(true);
  expect(isNamed(parseParameter(asByteString("playseek")), "PLAYSEEK")).toBe(true);
  expect(isNamed(parseParameter(asByteString("playseek2=1")), "playseek")).toBe(false);
});

test("what is not touched stays byte for byte", () => {
  const url = fc.string({ unit: fc.constantFrom("a", "=", "&", "?", "/", "%", "{", "\xff"), maxLength: 20 });
  fc.assert(
    fc.property(url, (text) => {
      expect(joinUrl(splitUrl(asByteString(text)))).toBe<unknown>(text);
    }),
  );
});
