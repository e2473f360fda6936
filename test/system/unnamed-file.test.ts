import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnnamedFile, openReference, referenceTo } from "../../src/system/unnamed-file.ts";

const directory = await mkdtemp(join(tmpdir(), "sluice-unnamed-"));
afterAll(() => rm(directory, { recursive: true }));

test("a file has no name, and another process reads it from its beginning", async () => {
  const handle = await createUnnamedFile(directory);
  await handle.writeFile("hello");
  expect(await readdir(directory)).toEqual([]);
  const { pid, fd } = referenceTo(handle);
  const { stdout } = Bun.spawnSync(["cat", `/proc/${pid}/fd/${fd}`]);
  expect(stdout.toString()).toBe("hello");
  const again = (await openReference(referenceTo(handle)))!;
  await handle.close();
  expect((await again.readFile()).toString()).toBe("hello");
  await again.close();
});

test("one that is closed is not found, even when another file has its number", async () => {
  const first = await createUnnamedFile(directory);
  const reference = referenceTo(first);
  await first.close();
  const second = await createUnnamedFile(directory);
  const taken = { ...reference, fd: second.fd, inode: referenceTo(second).inode + 1n };
  expect(await openReference(taken)).toBeUndefined();
  await second.close();
  expect(await openReference(taken)).toBeUndefined();
});

test("a directory that cannot be written in is an error", async () => {
  expect(createUnnamedFile(join(directory, "none"))).rejects.toThrow("ENOENT");
});
