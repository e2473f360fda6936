import { expect, test } from "bun:test";
import fc from "fast-check";
import { nearestWord } from "../../../src/wire/text/nearest-word.ts";

const KNOWN = ["listen", "maxclients", "max-connections", "external-m3u", "external-m3u-update-interval", "r2h-token"];

test.each([
  ["listen", "listen"],
  ["LISTEN", "listen"],
  ["lsiten", "listen"],
  ["lisen", "listen"],
  ["listens", "listen"],
  ["max_clients", "maxclients"],
  ["mxclints", "maxclients"],
  ["max-conections", "max-connections"],
  ["m3u", "external-m3u"],
  ["m3u-interval", "external-m3u-update-interval"],
  ["token", "r2h-token"],
  ["tok", undefined],
  ["lesson", undefined],
  ["", undefined],
  ["l", undefined],
  ["x".repeat(65), undefined],
])("%p is near %p", (word, near) => {
  expect(nearestWord(word, KNOWN)).toBe(near);
});

test("one mistake in a word of four letters is no hindrance", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcdefgh"), minLength: 4, maxLength: 20 });
  fc.assert(
    fc.property(word, fc.nat(), (known, at) => {
      const cut = known.slice(0, at % known.length) + known.slice((at % known.length) + 1);
      expect(nearestWord(cut, [known])).toBe(known);
    }),
  );
});
