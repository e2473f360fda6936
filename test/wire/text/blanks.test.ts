import { expect, test } from "bun:test";
import { trimAsciiBlanks, trimBlanks } from "../../../src/wire/text/blanks.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";

test("only spaces and tabs are blanks of headers", () => {
  expect(trimBlanks(" \t\xa0a b\xa0\t ")).toBe("\xa0a b\xa0");
  expect(trimBlanks(" \t")).toBe("");
});

test("only ASCII blanks are trimmed", () => {
  expect(trimAsciiBlanks(asByteString(" \t\r\n\v\fa b\r "))).toBe<unknown>("a b");
  // The last byte of U+4E20 and U+00E0 in UTF-8.
  expect(trimAsciiBlanks(asByteString("\xe4\xb8\xa0 \xa0\x85"))).toBe<unknown>("\xe4\xb8\xa0 \xa0\x85");
  expect(trimAsciiBlanks(asByteString(" \t "))).toBe<unknown>("");
});
