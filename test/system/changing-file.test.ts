import { expect, test } from "bun:test";
import { join } from "node:path";

/** Reads a file while every descriptor is in use, and when they are free again. */
const WITHOUT_DESCRIPTORS = `
const { closeSync, openSync } = require("node:fs");
const { ChangingFile } = require(${JSON.stringify(join(import.meta.dir, "../../src/system/changing-file.ts"))});
const file = new ChangingFile(${JSON.stringify(import.meta.path)}, 20);
const taken = [];
try { for (;;) taken.push(openSync("/dev/null", "r")); } catch {}
const before = file.text;
for (const fd of taken) closeSync(fd);
console.log(before, file.text);
`;

test("a file that could not be read for want of a descriptor is read the next time", async () => {
  const command = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "-e", WITHOUT_DESCRIPTORS];
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  expect(await child.stdout.text()).toBe("undefined import { expect, tes\n");
});
