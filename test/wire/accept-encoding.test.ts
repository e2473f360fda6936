import { expect, test } from "bun:test";
import fc from "fast-check";
import { acceptsGzip } from "../../src/wire/accept-encoding.ts";

test.each([
  [undefined, true],
  ["gzip", true],
  ["GZIP, deflate", true],
  ["x-gzip", true],
  ["*", true],
  ["br, gzip;q=0.1", true],
  ["", false],
  ["identity", false],
  ["deflate, br", false],
  ["gzip;q=0", false],
  ["gzip ; q=0.000, *", false],
  ["*;q=0", false],
  ["gzip;q=x", false],
])("%p", (value, accepts) => {
  expect(acceptsGzip(value)).toBe(accepts);
});

test("whatever a client sends is an answer", () => {
  fc.assert(fc.property(fc.string(), (value) => typeof acceptsGzip(value) === "boolean"));
});
