import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import {
  normalisedPath,
  parsePathPrefix,
  prefixBytes,
  withoutPrefix,
  withoutTrailingSlash,
} from "../../../src/wire/url/path-prefix.ts";

test.each([
  ["/a/b", "/a/b", "/"],
  ["/a/b/", "/a/b", "/"],
  ["/a/b/x", "/a/b", "/x"],
  ["/a/b//x", "/a/b", "//x"],
  ["/a/b/a/b", "/a/b", "/a/b"],
  ["/x", "", "/x"],
  ["/", "", "/"],
  ["//", "", "//"],
  ["/a/bc", "/a/b", undefined],
  ["/a", "/a/b", undefined],
  ["/A/b", "/a/b", undefined],
  ["/%61/b", "/a/b", undefined],
  ["//a/b", "/a/b", undefined],
  ["/", "/a/b", undefined],
  ["*", "", undefined],
])("%j below %j is %j", (path, prefix, inner) => {
  expect(withoutPrefix(asByteString(path), asByteString(prefix))).toBe<unknown>(inner as string);
});

test("what is left, behind the prefix, is the path again", () => {
  fc.assert(
    fc.property(fc.constantFrom("", "/a", "/a/b"), fc.string(), (prefix, rest) => {
      expect(withoutPrefix(asByteString(`${prefix}/${rest}`), asByteString(prefix))).toBe<unknown>(`/${rest}`);
    }),
  );
});

test.each([
  ["/a/", "/a"],
  ["/a//", "/a/"],
  ["/a", "/a"],
  ["/", "/"],
])("%j without a trailing slash is %j", (path, without) => {
  expect(withoutTrailingSlash(asByteString(path))).toBe<unknown>(without);
});

test.each([
  ["/a/b", "/a/b"],
  ["a/b/", "/a/b"],
  ["///a//b///", "/a//b"],
  ["é", "/é"],
  ["", undefined],
  ["///", undefined],
])("parsePathPrefix of %j is %j", (text, prefix) => {
  expect(parsePathPrefix(text)).toBe<unknown>(prefix);
});

test("a prefix stands in requests as UTF-8, and normalising it once is enough", () => {
  expect(prefixBytes(parsePathPrefix("é"))).toBe<unknown>("/\xc3\xa9");
  expect(prefixBytes(undefined)).toBe<unknown>("");
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(normalisedPath(normalisedPath(text))).toBe(normalisedPath(text));
    }),
  );
});
