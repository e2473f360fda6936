import { expect, test } from "bun:test";
import { isWriteDue, writeAgeMs } from "../../src/relay/write-policy.ts";

test.each([
  [1, 48],
  [8, 48],
  [20, 91.5],
  [32, 135],
  [500, 135],
])("with %d consumers the oldest byte may be %d ms old", (cursors, ms) => {
  expect(writeAgeMs(cursors)).toBe(ms);
});

test.each([
  ["nothing waits", 0, Number.POSITIVE_INFINITY, false],
  ["a byte is younger than that, and a tick's jitter", 1, 44.9, false],
  ["a byte is as old", 1, 45, true],
  ["less than 64 KiB wait", 64 * 1024 - 1, 0, false],
  ["64 KiB wait", 64 * 1024, 0, true],
] as const)("when %s", (_, lag, ageMs, isDue) => {
  expect(isWriteDue(lag, ageMs, writeAgeMs(1))).toBe(isDue);
});
