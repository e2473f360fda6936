import { expect, test } from "bun:test";
import fc from "fast-check";
import { forwardedFor } from "../../../src/wire/http/forwarded.ts";

test.each([
  [["192.0.2.1"], "192.0.2.1"],
  [["192.0.2.1, 198.51.100.1"], "192.0.2.1"],
  [[" \t192.0.2.1\t ,x"], "192.0.2.1"],
  [["[2001:db8::1]:5678"], "[2001:db8::1]:5678"],
  [["unknown"], "unknown"],
  [["192.0.2.1", "192.0.2.2,192.0.2.3"], "192.0.2.2"],
  [[",192.0.2.1"], ""],
  [[""], ""],
  [[], ""],
])("of the lines %j the client is %j", (lines, client) => {
  expect(forwardedFor(lines.map((value) => ["x-Forwarded-For", value] as const))).toBe(client);
});

test("no bytes make it throw, or hold a comma", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (lines) => {
      expect(forwardedFor(lines.map((value) => ["X-Forwarded-For", value] as const))).not.toContain(",");
    }),
  );
});
