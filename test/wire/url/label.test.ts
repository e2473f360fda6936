import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { splitTarget } from "../../../src/wire/url/label.ts";

const plain = fc.stringMatching(/^\/[a-z0-9/.:@%-]{0,20}$/);
const label = fc.stringMatching(/^\$[a-zA-Z0-9 .-]{1,8}$/);
const query = fc.stringMatching(/^[a-z0-9=&%?-]{1,20}$/);

/** A placeholder of a timeshift URL, in pieces so that it is not taken for a forgotten template string. */
const PLACEHOLDER = ["$", "{(b)yyyyMMdd}"].join("");

describe("splitTarget", () => {
  test.each([
    ["/rtp/239.1.1.1:5000", "/rtp/239.1.1.1:5000", ""],
    ["/Ch$HD", "/Ch", ""],
    ["/Ch$HD?playseek=1", "/Ch", "playseek=1"],
    ["/Ch?playseek=1$HD", "/Ch", "playseek=1"],
    ["/Ch$a?x=1$b", "/Ch", "x=1"],
    ["/Ch$4K$HD", "/Ch$4K", ""],
    ["/Ch$HD$", "/Ch", ""],
    ["/Ch$", "/Ch$", ""],
    [`/Ch${PLACEHOLDER}`, `/Ch${PLACEHOLDER}`, ""],
    [`/Ch?seek=${PLACEHOLDER}$HD`, "/Ch", `seek=${PLACEHOLDER}`],
    [`/Ch?seek=${PLACEHOLDER}`, "/Ch", `seek=${PLACEHOLDER}`],
    ["/a$b/c", "/a$b/c", ""],
    ["/Ch?a=1$HD&b=2", "/Ch", "a=1$HD&b=2"],
    ["/Ch?a=$b=c", "/Ch", "a=$b=c"],
    ["$HD", "", ""],
    ["/Ch?", "/Ch", ""],
    ["/Ch?a?b", "/Ch", "a?b"],
    ["", "", ""],
  ])("of %j", (target, path, expectedQuery) => {
    expect(splitTarget(asByteString(target))).toEqual<unknown>({ path, query: expectedQuery });
  });

  test("drops a label from the end of path, query or both, and keeps all else", () => {
    fc.assert(
      fc.property(
        plain,
        query,
        fc.option(label, { nil: "" }),
        fc.option(label, { nil: "" }),
        (path, q, first, last) => {
          expect(splitTarget(asByteString(path + first))).toEqual<unknown>({ path, query: "" });
          expect(splitTarget(asByteString(`${path}${first}?${q}${last}`))).toEqual<unknown>({ path, query: q });
        },
      ),
    );
  });

  test("loses nothing that holds `/ ? & =`, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "/", "?", "&", "=", "a"), maxLength: 20 }), (target) => {
        const split = splitTarget(asByteString(target));
        const rejoined = target.includes("?") ? `${split.path}?${split.query}` : split.path;
        const data = (text: string) => text.replace(/[^/?&=]/g, "");
        expect(data(rejoined)).toBe(data(target));
      }),
      { numRuns: 1000 },
    );
  });
});
