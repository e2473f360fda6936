import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { presentedToken, tokenCookie, withoutToken } from "../../src/http/token.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

function presented(query: string, headers: Record<string, string> = {}) {
  const fields = Object.entries(headers);
  const { source, value } = presentedToken(asByteString(query), fields) ?? {};
  return source && `${source}: ${value}`;
}

describe("a token is found", () => {
  test.each([
    ["r2h-token=a%20b", {}, "query: a b"],
    ["x=1&R2H-TOKEN=a+b&r2h-token=c", {}, "query: a+b"],
    ["r2h-token=", { Cookie: "r2h-token=c" }, "query: "],
    ["r2h-token=q", { Cookie: "r2h-token=c", "User-Agent": "R2HTOKEN/u" }, "query: q"],
    ["r2h-token=%zz", { Cookie: "r2h-token=c" }, "cookie: c"],
    ["r2h-token", { Cookie: "r2h-token=c" }, "cookie: c"],
    ["", { cookie: "a=b; R2H-Token=a%20b ; c=d", "User-Agent": "R2HTOKEN/u" }, "cookie: a b"],
    ["", { Cookie: "r2h-token=", "User-Agent": "R2HTOKEN/u" }, "cookie: "],
    ["", { Cookie: "r2h-token=%zz", "User-Agent": "R2HTOKEN/u" }, "cookie: undefined"],
    ["", { Cookie: "r2h-token", "User-Agent": "R2HTOKEN/u" }, "user-agent: u"],
    ["", { "user-agent": "R2HTOKEN/a%20b" }, "user-agent: a%20b"],
    ["", { "User-Agent": "VLC/3 R2HTOKEN/u LibVLC" }, "user-agent: u"],
    ["", { "User-Agent": "VLC/3R2HTOKEN/u\tLibVLC" }, "user-agent: u"],
  ] as const)("in %j with %j: %s", (query, headers, found) => {
    expect(presented(query, headers)).toBe(found);
  });

  test.each([
    ["", {}],
    ["token=a&xr2h-token=b&r2h%2Dtoken=c", { Cookie: "token=a", Authorization: "Bearer a" }],
    ["", { "User-Agent": "r2htoken/u" }],
    ["", { "User-Agent": "R2HTOKEN/ u" }],
    ["", { "User-Agent": "R2HTOKEN" }],
  ])("not in %j with %j", (query, headers) => {
    expect(presented(query, headers as Record<string, string>)).toBeUndefined();
  });
});

describe("a query without its token", () => {
  test.each([
    ["", ""],
    ["r2h-token=s", ""],
    ["r2h-token", ""],
    ["r2h-token=s&a=1", "a=1"],
    ["a=1&r2h-token=s&b=2", "a=1&b=2"],
    ["a=1&R2H-Token=s&r2h-token=t&b", "a=1&b"],
    ["a=1&r2h%2dtoken=s&%72%32H-token=t", "a=1"],
    ["a=1?r2h-token=s&b=2", "a=1&b=2"],
    ["u=http://c/?R2H-token=s?x&b=2", "u=http://c/&b=2"],
    ["r2h-token?r2h-token=s&b=2", "b=2"],
    ["&&a=%zz&=&%zz", "&&a=%zz&=&%zz"],
    ["xr2h-token=1&r2h-token2=1&r2h-ifname=r2h-token", "xr2h-token=1&r2h-token2=1&r2h-ifname=r2h-token"],
  ])("%j is %j", (query, rest) => {
    expect(withoutToken(query)).toBe(rest);
  });

  const harmless = fc.string({ unit: "binary" }).filter((text) => !/[&?]|r2h|%/i.test(text));
  const spelling = fc.constantFrom("r2h-token", "R2H-TOKEN", "r2h%2Dtoken", "%52%32h-%74oken");
  const token = fc.tuple(spelling, fc.constantFrom("", "=", "=secret")).map(([name, value]) => name + value);

  test("keeps every other byte", () => {
    const parameter = fc.record({ text: harmless, isToken: fc.constant(false) });
    const secret = token.map((text) => ({ text, isToken: true }));
    fc.assert(
      fc.property(fc.array(fc.oneof(parameter, secret), { minLength: 1 }), (parameters) => {
        const join = (some: typeof parameters) => some.map(({ text }) => text).join("&");
        expect(withoutToken(join(parameters))).toBe(join(parameters.filter(({ isToken }) => !isToken)));
      }),
    );
  });

  test("has none, whatever it was", () => {
    const piece = fc.oneof(token, fc.constantFrom("&", "?", "=", "%", "$", "#"), fc.string());
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const rest = withoutToken(pieces.join(""));
        expect(presentedToken(asByteString(rest), [])).toBeUndefined();
        expect(rest).not.toMatch(/[?&]r2h-token=/i);
        expect(withoutToken(rest)).toBe(rest);
      }),
    );
  });
});

test("no bytes make the search throw", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, (query, cookie, agent) => {
      presented(query, { Cookie: cookie, "User-Agent": `R2HTOKEN/${agent}` });
    }),
  );
});

test("the cookie is for the relay's paths, hidden from scripts and from what other sites embed", () => {
  expect(tokenCookie("a%20b", "/tv", false)).toBe("r2h-token=a%20b; Path=/tv; HttpOnly; SameSite=Lax");
  expect(tokenCookie("a", "/", true)).toBe("r2h-token=a; Path=/; HttpOnly; SameSite=Lax; Secure");
});
