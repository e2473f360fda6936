import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TokenCheck } from "../../src/http/token-check.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { percentEncodeText } from "../../src/wire/url/percent.ts";

function verdict(token: string, query: string, headers: Record<string, string> = {}, rawQuery = query): string {
  const fields = Object.entries(headers);
  const outcome = new TokenCheck(token).check(asByteString(query), asByteString(rawQuery), fields);
  return outcome.kind === "known" ? outcome.source : outcome.problem;
}

describe("of the token 'secret'", () => {
  test.each([
    ["r2h-token=secret", {}, "query"],
    ["a=1&R2H-Token=%73ecret&b", {}, "query"],
    ["", { Cookie: "a=b; r2h-token=%73ecret" }, "cookie"],
    ["", { "User-Agent": "VLC R2HTOKEN/secret x" }, "user-agent"],
    ["r2h-token=secret", { Cookie: "r2h-token=no" }, "query"],
    ["", {}, "r2h-token not found"],
    ["r2h-token=Secret", {}, "r2h-token mismatch (source: query)"],
    ["r2h-token=secre", {}, "r2h-token mismatch (source: query)"],
    ["r2h-token=secrets", {}, "r2h-token mismatch (source: query)"],
    ["r2h-token=", { Cookie: "r2h-token=secret" }, "r2h-token mismatch (source: query)"],
    ["r2h-token=no&r2h-token=secret", {}, "r2h-token mismatch (source: query)"],
    ["r2h-token=no", { Cookie: "r2h-token=secret" }, "r2h-token mismatch (source: query)"],
    ["r2h-token=%zz", {}, "r2h-token not found"],
    ["", { Cookie: "r2h-token=%zz" }, "r2h-token mismatch (source: cookie)"],
    ["", { Cookie: "r2h-token=no", "User-Agent": "R2HTOKEN/secret" }, "r2h-token mismatch (source: cookie)"],
    ["", { "User-Agent": "R2HTOKEN/%73ecret" }, "r2h-token mismatch (source: user-agent)"],
    ["", { "User-Agent": "R2HTOKEN/" }, "r2h-token not found"],
  ] as const)("%j with %j knows by: %s", (query, headers, expected) => {
    expect(verdict("secret", query, headers)).toBe(expected);
  });
});

describe("a token that looks like a label", () => {
  test.each([
    ["a$b", "r2h-token=a", "r2h-token=a$b", "query"],
    ["$b", "r2h-token=", "r2h-token=$b", "query"],
    ["a$b", "r2h-token=a", "r2h-token=a", "r2h-token mismatch (source: query)"],
    ["a", "r2h-token=a", "r2h-token=a$HD", "query"],
    ["a$b", "r2h-token=a$b", "r2h-token=a$b$HD", "query"],
  ])("%j is in %j, which was %j: %s", (token, query, rawQuery, expected) => {
    expect(verdict(token, query, {}, rawQuery)).toBe(expected);
  });

  test("is no help for a wrong cookie", () => {
    expect(verdict("a$b", "", { Cookie: "r2h-token=a" }, "$b")).toBe("r2h-token mismatch (source: cookie)");
  });
});

test("any token is known in query and cookie when it is encoded, and no other is", () => {
  const text = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(text, text, (token, other) => {
      const encoded = percentEncodeText(token);
      expect(verdict(token, `x=1&r2h-token=${encoded}`)).toBe("query");
      expect(verdict(token, "", { Cookie: `r2h-token=${encoded}` })).toBe("cookie");
      if (other !== token) expect(verdict(other, `r2h-token=${encoded}`)).toStartWith("r2h-token mismatch");
    }),
  );
});
