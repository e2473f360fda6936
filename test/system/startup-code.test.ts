import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { settleAfterStart } from "../../src/system/startup-code.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 10_000;

function residentFileBytes(): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

test("takes code out of memory, and the program goes on", async () => {
  const before = residentFileBytes();
  settleAfterStart(0);
  await until(() => residentFileBytes() < before - 4 * 1024 * 1024, WAIT_MS, "less code in memory");
  expect(JSON.stringify([...Array(3).keys()].map((i) => new Date(i).toISOString()))).toContain("1970-01-01");
});
