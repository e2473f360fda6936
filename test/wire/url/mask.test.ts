import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { maskUrls } from "../../../src/wire/url/mask.ts";
import { percentEncode } from "../../../src/wire/url/percent.ts";

describe("a token is masked", () => {
  test.each([
    ["/rtp/239.0.0.1:1234?r2h-token=secret", "/rtp/239.0.0.1:1234?r2h-token=***"],
    ["/a?x=1&r2h-token=secret&y=2", "/a?x=1&r2h-token=***&y=2"],
    ["/a?r2h-token=secret#top", "/a?r2h-token=***#top"],
    ["/a?R2H-Token=secret", "/a?R2H-Token=***"],
    ["/a?r2h%2Dtoken=secret", "/a?r2h%2Dtoken=***"],
    ["/a?%72%32%68%2d%74%6F%6b%65%6E=secret", "/a?%72%32%68%2d%74%6F%6b%65%6E=***"],
    ["/a?%52%32%48-%54OKEN=secret", "/a?%52%32%48-%54OKEN=***"],
    ["/a?r2h%252Dtoken=secret", "/a?r2h%252Dtoken=***"],
    ["/a?r2h-token%3Dsecret", "/a?r2h-token%3D***"],
    ["/a?r2h-token=se%26cret&b", "/a?r2h-token=***&b"],
    ["/a?r2h-token=secret=more?r2h-token=again", "/a?r2h-token=***"],
    ["/a?r2h-token=one&r2h-token=two", "/a?r2h-token=***&r2h-token=***"],
    ["/a?r2h-token=secret$HD", "/a?r2h-token=***"],
    ["/http/up.example/b?u=http://c/?r2h-token=secret", "/http/up.example/b?u=http://c/?r2h-token=***"],
    ["http://tv.example/a?r2h-token=secret", "http://tv.example/a?r2h-token=***"],
    ["r2h-token=secret&x=1", "r2h-token=***&x=1"],
    ["/a?r2h-token=", "/a?r2h-token=***"],
  ])("in %j", (url, masked) => {
    expect(maskUrls(url)).toBe(masked);
  });

  test.each([
    ["/a?u=%2Fb%3Fr2h-token%3Dsecret", "/a?u=%2Fb%3Fr2h-token%3D***"],
    ["/a?u=%3Fr2h-token%3Dsecret%26x%3D1&y=2", "/a?u=%3Fr2h-token%3D***%26x%3D1&y=2"],
    ["/a?u=%3fx%3d1%26r2h-token%3dsecret%23top", "/a?u=%3fx%3d1%26r2h-token%3d***%23top"],
    ["/a?u=%3Fr2h-token%3Dse%2526cret%26x", "/a?u=%3Fr2h-token%3D***%26x"],
    ["/a?u=%253Fr2h-token%253Dsecret%2526x%26y", "/a?u=%253Fr2h-token%253D***%2526x%26y"],
    ["/a?u=%3Fr2h%252Dtoken%3Dsecret", "/a?u=%3Fr2h%252Dtoken%3D***"],
  ])("in the URL within %j", (url, masked) => {
    expect(maskUrls(url)).toBe(masked);
  });
});

test.each([
  "",
  "/",
  "/rtp/239.0.0.1:1234?fcc=192.0.2.1:8027",
  "/a?xr2h-token=1",
  "/a?r2h-token",
  "/a?r2h-token2=1",
  "/a?r2h-seek-offset=5",
  "/r2h-token=1/a",
  "/a?x=%r2h-token=1",
])("%j has none", (url) => {
  expect(maskUrls(url)).toBe(url);
});

/** The name as somebody might write it: each character as it is, in the other case, or percent-encoded up to twice. */
const spelledName = fc
  .tuple(
    ...[..."r2h-token"].map((character) => fc.tuple(fc.constant(character), fc.boolean(), fc.nat(2), fc.boolean())),
  )
  .map((characters) =>
    characters
      .map(([character, upper, depth, upperHex]) => {
        const one = upper ? character.toUpperCase() : character;
        if (depth === 0) return one;
        const code = one.charCodeAt(0).toString(16);
        return `%${"25".repeat(depth - 1)}${upperHex ? code.toUpperCase() : code}`;
      })
      .join(""),
  );

const parameter = fc
  .tuple(fc.stringMatching(/^[a-q]{1,5}$/), fc.string({ maxLength: 8 }))
  .map(([name, value]) => `${name}=${percentEncode(asByteString(value.replace(/[^\0-\xff]/g, "")))}`);
const parameters = fc.array(parameter, { maxLength: 3 });
const token = fc.stringMatching(/^[A-Z0-9]{12,20}$/);

describe("whatever the URL", () => {
  test("its token goes and every other byte stays", () => {
    fc.assert(
      fc.property(parameters, spelledName, token, parameters, (before, name, secret, after) => {
        const url = (value: string) => `/a/b?${[...before, `${name}=${value}`, ...after].join("&")}`;
        expect(maskUrls(url(secret))).toBe(url("***"));
      }),
    );
  });

  test("the token of a URL within it goes, too", () => {
    fc.assert(
      fc.property(parameters, token, parameters, fc.integer({ min: 0, max: 3 }), (before, secret, after, depth) => {
        let inner = `http://up.example/b?${[...before, `r2h-token=${secret}`, ...after].join("&")}`;
        for (let i = 0; i < depth; i++) inner = percentEncode(asByteString(inner));
        expect(maskUrls(`/a?u=${inner}`)).not.toContain(secret);
      }),
    );
  });

  test("masking twice is masking once, and nothing makes it throw", () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom("?", "&", "%26", "%3F", "r2h-token=", "r2h%2dtoken%3d", "%25"));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const once = maskUrls(pieces.join(""));
        expect(maskUrls(once)).toBe(once);
      }),
    );
  });

  test.each(["%25", "25", "%26r2h-token%3d", "?r2h", "%3Fr2h-token%3D%", "&%72%32", "%"])(
    "many %j take no long time",
    (piece) => {
      const url = `/a?%${piece.repeat(100_000)}`;
      const start = performance.now();
      maskUrls(url);
      // Quadratic time would be minutes.
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );
});
