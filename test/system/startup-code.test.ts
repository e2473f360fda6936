import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

/** Opens files until there are no more, then settles. */
const WITHOUT_DESCRIPTORS = `
const { openSync } = require("node:fs");
const { settleAfterStart } = require(${JSON.stringify(join(import.meta.dir, "../../src/system/startup-code.ts"))});
try { for (;;) openSync("/dev/null", "r"); } catch {}
settleAfterStart(0);
setTimeout(() => process.exit(0), 10);
`;

test("a process that has every descriptor in use goes on", async () => {
  const command = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "-e", WITHOUT_DESCRIPTORS];
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"] });
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
});
