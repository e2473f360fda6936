import { expect, test } from "bun:test";
import fc from "fast-check";
import { isNoneMatch } from "../../../src/wire/http/conditional.ts";

const TAG = '"0123"';

test.each([
  [undefined, true],
  ["", true],
  ["*", false],
  [TAG, false],
  ["0123", false],
  [`W/${TAG}`, false],
  [`"a", W/"b" ,${TAG}`, false],
  ['"a","b"', true],
  ['"012"', true],
  ["W/", true],
])("%p", (value, isNew) => {
  expect(isNoneMatch(value, TAG)).toBe(isNew);
});

test("a tag is found among any others", () => {
  const tag = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(
    fc.property(tag, fc.array(tag), fc.nat(8), (wanted, others, at) => {
      const list = others.toSpliced(at, 0, wanted).map((each) => `"${each}"`);
      expect(isNoneMatch(list.join(", "), `"${wanted}"`)).toBe(false);
    }),
  );
});

test("whatever a client sends is an answer", () => {
  fc.assert(fc.property(fc.string(), (value) => typeof isNoneMatch(value, TAG) === "boolean"));
});
