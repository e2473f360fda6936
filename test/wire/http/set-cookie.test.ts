import { expect, test } from "bun:test";
import fc from "fast-check";
import { cookieAt, cookiePath, setCookieName } from "../../../src/wire/http/set-cookie.ts";

test.each([
  ["a=1", "a"],
  [" a =1; Path=/", "a"],
  ["a=b=c", "a"],
  ["=r2h-token=x", undefined],
  [" = x", undefined],
  ["r2h-token", undefined],
  ["", undefined],
  ["; a=1", undefined],
])("%j is a cookie by the name of %p", (value, name) => {
  expect(setCookieName(value)).toBe(name);
});

test.each([
  ["a=1", "a=1; Path=/p"],
  ["a=1; path = /x ;HttpOnly; Domain=.h.example; SameSite=Lax;PATH=/y", "a=1;HttpOnly; SameSite=Lax; Path=/p"],
  ["a=1;Path;Domain", "a=1; Path=/p"],
  ["path=/x; Max-Age=3", "path=/x; Max-Age=3; Path=/p"],
  ["a=1; PathName=x", "a=1; PathName=x; Path=/p"],
])("%j is bound as %j", (value, bound) => {
  expect(cookieAt(value, "/p")).toBe(bound);
});

test.each([
  ["a=1", "/d/e/f?x=/y/z", "/d/e"],
  ["a=1", "/f", "/"],
  ["a=1", "/", "/"],
  ["a=1; Path=/x/", "/d/f", "/x/"],
  ["a=1; Path=/x; path= /y ", "/d/f", "/y"],
  ["a=1; Path=x", "/d/f", "/d"],
  ["a=1; Path=", "/d/f", "/d"],
  ["path=/x", "/d/f", "/d"],
])("%j of %s belongs to %s", (value, requestPath, path) => {
  expect(cookiePath(value, requestPath)).toBe(path);
});

test("no bytes make a cookie belong elsewhere", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, (value, path) => {
      expect(cookiePath(value, `/${path}`)).toStartWith("/");
      const attributes = cookieAt(value, "/p").split(";").slice(1);
      expect(attributes.filter((attribute) => /^[\t ]*(path|domain)[\t ]*(=|$)/i.test(attribute))).toEqual([
        " Path=/p",
      ]);
    }),
  );
});
