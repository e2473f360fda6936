import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hasScheme, resolveReference } from "../../../src/wire/url/reference.ts";

describe("the examples of RFC 3986 section 5.4", () => {
  test.each([
    ["g:h", "g:h"],
    ["g", "http://a/b/c/g"],
    ["./g", "http://a/b/c/g"],
    ["g/", "http://a/b/c/g/"],
    ["/g", "http://a/g"],
    ["//g", "http://g"],
    ["?y", "http://a/b/c/d;p?y"],
    ["g?y", "http://a/b/c/g?y"],
    ["#s", "http://a/b/c/d;p?q#s"],
    ["g#s", "http://a/b/c/g#s"],
    ["g?y#s", "http://a/b/c/g?y#s"],
    [";x", "http://a/b/c/;x"],
    ["g;x", "http://a/b/c/g;x"],
    ["g;x?y#s", "http://a/b/c/g;x?y#s"],
    ["", "http://a/b/c/d;p?q"],
    [".", "http://a/b/c/"],
    ["./", "http://a/b/c/"],
    ["..", "http://a/b/"],
    ["../", "http://a/b/"],
    ["../g", "http://a/b/g"],
    ["../..", "http://a/"],
    ["../../", "http://a/"],
    ["../../g", "http://a/g"],
    ["../../../g", "http://a/g"],
    ["../../../../g", "http://a/g"],
    ["/./g", "http://a/g"],
    ["/../g", "http://a/g"],
    ["g.", "http://a/b/c/g."],
    [".g", "http://a/b/c/.g"],
    ["g..", "http://a/b/c/g.."],
    ["..g", "http://a/b/c/..g"],
    ["./../g", "http://a/b/g"],
    ["./g/.", "http://a/b/c/g/"],
    ["g/./h", "http://a/b/c/g/h"],
    ["g/../h", "http://a/b/c/h"],
    ["g;x=1/./y", "http://a/b/c/g;x=1/y"],
    ["g;x=1/../y", "http://a/b/c/y"],
    ["g?y/./x", "http://a/b/c/g?y/./x"],
    ["g?y/../x", "http://a/b/c/g?y/../x"],
    ["g#s/./x", "http://a/b/c/g#s/./x"],
    ["g#s/../x", "http://a/b/c/g#s/../x"],
    ["http:g", "http:g"],
  ])("%j is %j", (reference, url) => {
    expect(resolveReference("http://a/b/c/d;p?q", reference)).toBe(url);
  });
});

test.each([
  ["http://h:8080", "x", "http://h:8080/x"],
  ["http://h", "?q", "http://h?q"],
  ["http://h/a?b=/c/d", "x", "http://h/x"],
  ["http://h/a/b#c/d", "x", "http://h/a/x"],
  ["https://[::1]:1/a/b", "//o/p/../q", "https://o/q"],
  ["http://h/a//b/c", "../x", "http://h/a//x"],
  ["http://h/a/", "HTTP://o/p/../q", "HTTP://o/p/../q"],
  ["http://h/a/", "/\xe4%2e%2E/ b|{x}", "http://h/\xe4%2e%2E/ b|{x}"],
  ["http://h/a/", "12:30.ts", "http://h/a/12:30.ts"],
  ["http://h/a/", "./a:b.ts", "http://h/a/a:b.ts"],
])("at %j, %j is %j", (base, reference, url) => {
  expect(resolveReference(base, reference)).toBe(url);
});

test.each([
  ["http://h", true],
  ["data:,x", true],
  ["a1+-.:x", true],
  ["1a:x", false],
  ["//h", false],
  ["a/b:c", false],
  ["?a:b", false],
  ["", false],
])("%j has a scheme: %p", (reference, expected) => {
  expect(hasScheme(reference)).toBe(expected);
});

test("it agrees with new URL() where nothing needs an encoding", () => {
  const name = fc.constantFrom("", "...", "a", "b.ts", "%41", "c;d=1", "e:f", "g@h", "~$&+,=!*()");
  const segment = fc.oneof(name, fc.constantFrom(".", ".."));
  const path = fc.array(segment, { maxLength: 7 }).map((segments) => segments.join("/"));
  const suffix = fc.constantFrom("", "?", "?x=1", "?a/../b", "?a?b", "#f", "?x#f/../g");
  const authority = fc.constantFrom("h", "h.example:8080", "[2001:db8::1]", "10.0.0.1:81");
  // No dots: new URL() resolves those of the base before it looks at the reference.
  const basePath = fc.array(name, { maxLength: 7 }).map((segments) => segments.join("/"));
  const base = fc
    .tuple(fc.constantFrom("http", "https"), authority, basePath, suffix)
    .map(([scheme, host, p, s]) => `${scheme}://${host}/${p}${s}`);
  const reference = fc.oneof(
    fc.tuple(path, suffix).map(([p, s]) => p.replace(/^\/+/, "/") + s),
    fc.tuple(authority, path, suffix).map(([a, p, s]) => `//${a}/${p}${s}`),
  );
  fc.assert(
    fc.property(base, reference, (from, text) => {
      fc.pre(!hasScheme(text));
      expect(resolveReference(from, text)).toBe(new URL(text, from).href);
    }),
    { numRuns: 2000 },
  );
});

test("no text makes it throw", () => {
  const near = fc.string({ unit: fc.constantFrom("/", ".", "?", "#", ":", "a"), maxLength: 20 });
  const text = fc.oneof(fc.string(), near);
  fc.assert(
    fc.property(text, text, (base, reference) => {
      resolveReference(base, reference);
    }),
  );
});
