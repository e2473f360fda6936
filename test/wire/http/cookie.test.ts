import { expect, test } from "bun:test";
import fc from "fast-check";
import { cookieValue } from "../../../src/wire/http/cookie.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { percentDecode, percentEncode } from "../../../src/wire/url/percent.ts";

test.each([
  ["a=1", "a", "1"],
  ["a=1; b=2", "b", "2"],
  ["a=1;b=2", "b", "2"],
  ["  a  =  1  ; b=2", "a", "1"],
  ["A=1", "a", "1"],
  ["a=1", "A", "1"],
  ["a=1; a=2", "a", "1"],
  ["a; a=2", "a", "2"],
  ["aa=1; a=2", "a", "2"],
  ["a=", "a", ""],
  ["a=b=c", "a", "b=c"],
  ['a="1"', "a", '"1"'],
  ["a=%41\t", "a", "%41"],
  ["a=\xa0", "a", "\xa0"],
  [";;a=1;", "a", "1"],
  ["=1", "", "1"],
  ["b=a=1", "a", undefined],
  ["a", "a", undefined],
  ["", "a", undefined],
])("in %j %s is %j", (header, name, value) => {
  expect(cookieValue(header, name)).toBe(value as string);
});

test("any value survives encoding, among any other cookies", () => {
  const other = fc.string().map((text) => `x${percentEncode(asByteString(text))}=${percentEncode(asByteString(text))}`);
  fc.assert(
    fc.property(fc.array(other), fc.array(other), fc.string({ unit: "binary-ascii" }), (before, after, value) => {
      const header = [...before, `name=${percentEncode(asByteString(value))}`, ...after].join("; ");
      expect(percentDecode(asByteString(cookieValue(header, "NAME")!))).toBe<unknown>(value);
    }),
  );
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (header, name) => {
      cookieValue(header, name);
    }),
  );
});
