import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString, utf8Decode } from "../../../src/wire/text/byte-string.ts";
import { percentDecode, percentEncode, percentEncodeText } from "../../../src/wire/url/percent.ts";

const byteString = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1"));

test("what was encoded decodes to itself", () => {
  fc.assert(fc.property(byteString, (bytes) => percentDecode(percentEncode(asByteString(bytes))) === bytes));
});

test("encoding leaves exactly the unreserved characters and the slash alone", () => {
  fc.assert(
    fc.property(byteString, (bytes) =>
      /^(?:[A-Za-z0-9\-_.~/]|%[0-9A-F]{2})*$/.test(percentEncode(asByteString(bytes))),
    ),
  );
  expect(percentEncode(asByteString("aZ09-_.~/ +é"))).toBe<unknown>("aZ09-_.~/%20%2B%E9");
});

test("text is encoded as UTF-8 and read back", () => {
  expect(percentEncodeText("中a")).toBe<unknown>("%E4%B8%ADa");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      fc.pre(text.isWellFormed());
      return utf8Decode(asByteString(percentDecode(percentEncodeText(text)) ?? "")) === text;
    }),
  );
});

test.each(["%", "a%", "%4", "%4g", "%g4", "%%41", "100%25%"])("%j has an invalid escape", (text) => {
  expect(percentDecode(asByteString(text))).toBeUndefined();
});

test("a plus, raw bytes and either case of hex digits", () => {
  expect(percentDecode(asByteString("a+b%2b%2B\xe4%00"))).toBe<unknown>("a+b++\xe4\0");
});
