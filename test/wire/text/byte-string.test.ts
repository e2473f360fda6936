import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString, bytesToString, utf8Decode, utf8Encode } from "../../../src/wire/text/byte-string.ts";

test("text comes back from its bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      fc.pre(text.isWellFormed());
      const bytes = utf8Encode(text);
      expect(bytes).toMatch(/^[\0-\xff]*$/);
      expect(utf8Decode(bytes)).toBe(text);
    }),
  );
  expect(utf8Encode("é")).toBe<unknown>("\xc3\xa9");
  expect(utf8Decode(asByteString("\xff"))).toBe("\ufffd");
});

test("each byte is a character, also of a part", () => {
  const bytes = Buffer.from([0, 0x41, 0x80, 0xa0, 0xff]);
  expect(bytesToString(bytes)).toBe<unknown>("\0A\x80\xa0\xff");
  expect(bytesToString(bytes, 1, 3)).toBe<unknown>("A\x80");
});
