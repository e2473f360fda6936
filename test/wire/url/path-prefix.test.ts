import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { withoutPrefix, withoutTrailingSlash } from "../../../src/wire/url/path-prefix.ts";

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
