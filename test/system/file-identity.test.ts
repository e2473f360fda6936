import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  identityBehindPath,
  identityOfDescriptor,
  identityOfPath,
  sameFile,
  unlinkIfSame,
} from "../../src/system/file-identity.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-identity-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(name: string): string {
  const path = join(directory, name);
  writeFileSync(path, name);
  return path;
}

test("a file is the same under all its names, and another one is not", () => {
  const a = file("a");
  const b = file("b");
  const [link, hard] = [join(directory, "link"), join(directory, "hard")];
  symlinkSync(a, link);
  linkSync(a, hard);
  expect(sameFile(identityOfPath(a), identityOfPath(hard))).toBe(true);
  expect(sameFile(identityOfPath(a), identityBehindPath(link))).toBe(true);
  expect(sameFile(identityOfPath(a), identityOfPath(link))).toBe(false);
  expect(sameFile(identityOfPath(a), identityOfPath(b))).toBe(false);
  const fd = openSync(a, "r");
  expect(sameFile(identityOfPath(a), identityOfDescriptor(fd))).toBe(true);
  closeSync(fd);
});

test("what is not there is the same as nothing", () => {
  const missing = identityOfPath(join(directory, "missing"));
  expect(missing).toBeUndefined();
  expect(identityBehindPath(join(directory, "missing"))).toBeUndefined();
  expect(sameFile(missing, missing)).toBe(false);
});

test("only what is still ours is removed", () => {
  const path = file("a");
  const ours = identityOfPath(path)!;
  renameSync(path, join(directory, "moved"));
  unlinkIfSame(path, ours);
  file("a");
  unlinkIfSame(path, ours);
  expect(existsSync(path)).toBe(true);
  unlinkIfSame(join(directory, "moved"), ours);
  expect(existsSync(join(directory, "moved"))).toBe(false);
});
