import { expect, test } from "bun:test";
import fc from "fast-check";
import { dvbText } from "../../../src/wire/mpegts/dvb-text.ts";

/** The bytes of a text whose characters are bytes. */
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

test.each([
  ["nothing", "", ""],
  ["ASCII", "Das Erste HD", "Das Erste HD"],
  ["ISO 6937: an accent before its letter", "\xc8Osterreich, caf\xc2e", "Österreich, café"],
  ["ISO 6937: a letter and a sign of its own", "\xe9\xf1\xa4 \xfb", "Øæ€ ß"],
  ["ISO 6937: an accent at the end", "A\xc2", "A"],
  ["ISO 8859-5", "\x01\xbf\xd5\xe0\xd2\xeb\xd9", "Первый"],
  ["ISO 8859-7", "\x03\xc5\xd1\xd4", "ΕΡΤ"],
  ["ISO 8859-9", "\x05T\xfcrk\xe7e \xfe", "Türkçe ş"],
  ["ISO 8859-11", "\x07\xe4\xb7\xc2", "ไทย"],
  ["ISO 8859-15", "\x0b\xa4", "€"],
  ["ISO 8859-1 by its number", "\x10\x00\x01Universit\xe4t", "Universität"],
  ["ISO 8859-2 by its number", "\x10\x00\x02\xc8esk\xe1", "Česká"],
  ["ISO 8859-12, which does not exist", "\x10\x00\x0cabc", "abc"],
  ["UTF-16", "\x11\x4e\x2d\x59\x2e", "中央"],
  ["Korean", "\x12\xc7\xd1\xb1\xb9", "한국"],
  ["GB2312", "\x13\xd6\xd0\xd1\xeb1", "中央1"],
  ["Big5", "\x14\xa4\xa4\xa5\xa1", "中央"],
  ["UTF-8", `\x15${utf8("CCTV-1 综合")}`, "CCTV-1 综合"],
  ["a company's own table", "\x1f\x01abc", "abc"],
  ["a selector that is reserved", "\x0eabc", "abc"],
  ["GB2312 that does not say so", "CCTV1\xd7\xdb\xba\xcf", "CCTV1综合"],
  ["UTF-8 that does not say so", utf8("湖南卫视"), "湖南卫视"],
  ["emphasis and a line break", "\x01\x86\xbf\x87\x8a\xd5", "Пе"],
  ["control characters", "a\x1b[31mb\x07\n", "a[31mb"],
  ["one that does not end", "x".repeat(300), "x".repeat(128)],
])("%s", (_, bytes, text) => {
  expect(dvbText(bytesOf(bytes))).toBe(text);
});

test("any bytes give one line without control characters", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = dvbText(bytes);
      expect(text).not.toMatch(/\p{Cc}/u);
      expect(Array.from(text).length).toBeLessThanOrEqual(128);
    }),
    { numRuns: 500 },
  );
});
