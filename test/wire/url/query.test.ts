import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { percentEncode } from "../../../src/wire/url/percent.ts";
import { queryParameter } from "../../../src/wire/url/query.ts";

test.each([
  ["a=1&b=2", "b", "2"],
  ["A=1", "a", "1"],
  ["a=1", "A", "1"],
  ["a=1&a=2", "a", "1"],
  ["a&a=2", "a", "2"],
  ["aa=1&a=2", "a", "2"],
  ["a=", "a", ""],
  ["a=b=c", "a", "b=c"],
  ["a=x+y%20z", "a", "x+y z"],
  ["&&a=1&", "a", "1"],
  ["%61=1", "a", undefined],
  ["a=%zz", "a", undefined],
  ["a=%zz&a=1", "a", undefined],
  ["b=1", "a", undefined],
  ["a", "a", undefined],
  ["", "a", undefined],
])("in %j %s is %j", (query, name, value) => {
  expect(queryParameter(asByteString(query), name)).toBe<unknown>(value as string);
});

test("any value survives encoding", () => {
  const text = fc.string();
  fc.assert(
    fc.property(text, text, (value, other) => {
      const query = `x${percentEncode(asByteString(other))}=${percentEncode(asByteString(other))}&name=${percentEncode(asByteString(value))}&name=2`;
      return queryParameter(asByteString(query), "NAME") === value;
    }),
  );
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (query, name) => {
      queryParameter(asByteString(query), name);
    }),
  );
});
