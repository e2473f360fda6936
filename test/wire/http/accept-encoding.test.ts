import { expect, test } from "bun:test";
import fc from "fast-check";
import { acceptsGzip, chooseCoding } from "../../../src/wire/http/accept-encoding.ts";

const OFFERED = ["br", "gzip", "identity"] as const;

test.each([
  [undefined, "identity"],
  ["", "identity"],
  ["gzip, deflate", "gzip"],
  ["gzip, deflate, br, zstd", "br"],
  ["GZIP ; Q=1 , BR;q=0.9", "gzip"],
  ["*", "br"],
  ["*;q=0.1, br;q=0", "gzip"],
  ["gzip, identity", "gzip"],
  ["gzip;q=0.5, identity", "identity"],
  ["br;q=0, gzip;q=0.001", "gzip"],
  ["zstd", "identity"],
  ["*;q=0", "identity"],
  ["gzip;q=nonsense, br;q=0", "identity"],
])("%j is answered with %s", (value, coding) => {
  expect(chooseCoding(value, OFFERED)).toBe(coding as (typeof OFFERED)[number]);
});

test("never takes a coding that is not offered or that the client refuses", () => {
  const coding = fc.constantFrom("br", "gzip", "identity", "*", "zstd");
  const weights = fc.array(fc.tuple(coding, fc.constantFrom(0, 0.5, 1)), { maxLength: 5 });
  fc.assert(
    fc.property(weights, fc.subarray([...OFFERED]), (entries, offered) => {
      const weightOf = new Map(entries);
      const value = [...weightOf].map(([name, weight]) => `${name};q=${weight}`).join(", ");
      const chosen = chooseCoding(value, offered);
      if (chosen === "identity") return;
      expect(offered).toContain(chosen);
      const weight = weightOf.get(chosen) ?? weightOf.get("*") ?? 0;
      expect(weight).toBeGreaterThan(0);
      for (const other of offered) expect(weightOf.get(other) ?? weightOf.get("*") ?? 0).toBeLessThanOrEqual(weight);
    }),
  );
});

test("understands everything", () => {
  fc.assert(fc.property(fc.string(), (value) => expect(OFFERED).toContain(chooseCoding(value, OFFERED))));
});

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
