import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryLockFile } from "../../src/system/record-lock.ts";
import { SystemCallError } from "../../src/system/socket.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Whether another process gets the lock, asked with our own code. */
function othersGetIt(path: string): boolean {
  const module = join(import.meta.dir, "../../src/system/record-lock.ts");
  const program = `
    const { tryLockFile } = await import(${JSON.stringify(module)});
    console.log(tryLockFile(require("node:fs").openSync(${JSON.stringify(path)}, "r+")));`;
  return JSON.parse(Bun.spawnSync([process.execPath, "-e", program]).stdout.toString());
}

/** The same with Python's, so that both sides cannot be wrong in the same way. */
function pythonGetsIt(path: string): boolean {
  const program = `
import fcntl, sys
try:
    fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("true")
except BlockingIOError:
    print("false")`;
  return JSON.parse(Bun.spawnSync(["python3", "-c", program, path]).stdout.toString());
}

const hasPython = Bun.which("python3") !== null && Bun.spawnSync(["python3", "-c", "import fcntl"]).success;
const askers: [string, (path: string) => boolean][] = [["a second process of ours", othersGetIt]];
if (hasPython) askers.push(["python", pythonGetsIt]);

test.each(askers)("%s is kept out while we hold the lock", (_, getsIt) => {
  const path = join(directory, "file");
  const fd = openSync(path, "w+");
  expect(getsIt(path)).toBe(true);
  expect(tryLockFile(fd)).toBe(true);
  expect(getsIt(path)).toBe(false);
  closeSync(fd);
  expect(getsIt(path)).toBe(true);
});

test("other refusals are errors", () => {
  const path = join(directory, "file");
  closeSync(openSync(path, "w"));
  const readOnly = openSync(path, "r");
  expect(() => tryLockFile(readOnly)).toThrow(SystemCallError);
  closeSync(readOnly);
});
