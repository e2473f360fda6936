import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTextFile } from "../../src/config/read-file.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "read-file-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function reading(content: string | Uint8Array) {
  const path = join(directory, "file");
  writeFileSync(path, content);
  return readTextFile(path);
}

test("a file is read whole", () => {
  // An odd offset, so that a character spans two reads.
  const text = `x${"é".repeat(200_000)}\r\nend`;
  expect(reading(text)).toEqual({ text });
  expect(reading("")).toEqual({ text: "" });
});

test("a byte order mark is dropped, and bytes that are no UTF-8 are replaced", () => {
  expect(reading(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toEqual({ text: "a" });
  expect(reading(new Uint8Array([0x61, 0xff, 0x62, 0xc3]))).toEqual({ text: "a\ufffdb\ufffd" });
});

test("what cannot be read is told with its reason", () => {
  expect(readTextFile(join(directory, "none"))).toEqual({ code: "ENOENT", reason: "no such file or directory" });
  expect(readTextFile("")).toMatchObject({ code: "ENOENT" });
  expect(readTextFile(directory)).toEqual({ code: "EISDIR", reason: "it is a directory" });
  expect(readTextFile("a\0b")).toMatchObject({ reason: expect.stringContaining("null") });
});

test("a pipe and a device are no files, and nobody waits for them", () => {
  const pipe = join(directory, "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  for (const path of [pipe, "/dev/zero", "/dev/null"])
    expect(readTextFile(path)).toEqual({ code: "not-a-file", reason: "it is a pipe or a device, not a file" });
});

test("a film is given up", () => {
  const path = join(directory, "film");
  writeFileSync(path, "");
  truncateSync(path, 2 ** 30);
  expect(readTextFile(path)).toEqual({ code: "too-large", reason: "larger than 16777216 bytes" });
});
