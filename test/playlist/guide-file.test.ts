import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuideFile } from "../../src/playlist/guide-file.ts";
import { type Chunks, collect } from "../../src/playlist/streams.ts";
import { until } from "../fakes/until.ts";

const MAX_FILE_BYTES = 64 * 1024 * 1024;

const GUIDE = Buffer.from(`<tv>${"<programme>x</programme>".repeat(10_000)}</tv>`);
const LIMIT_MS = 2000;

async function* chunks(bytes: Uint8Array, size = 1000): Chunks {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Files without a name that this process holds open. */
function openGuides(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /sluice-guide-.*\(deleted\)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

describe("a guide", () => {
  test("that came plain is delivered plain", async () => {
    const file = await GuideFile.write(chunks(GUIDE), tmpdir());
    expect([file.isGzip, file.bytes, file.md5]).toEqual([false, GUIDE.length, md5(GUIDE)]);
    const stream = file.open("identity")!;
    expect(stream.bytes).toBe(GUIDE.length);
    expect((await collect(stream.chunks)).equals(GUIDE)).toBe(true);
    expect(file.open("gzip")).toBeUndefined();
    file.close();
  });

  test("that came as gzip is delivered as it came, or unpacked", async () => {
    const packed = Bun.gzipSync(GUIDE);
    for (const size of [1, 100, packed.length]) {
      const file = await GuideFile.write(chunks(packed, size), tmpdir());
      expect([file.isGzip, file.bytes, file.md5]).toEqual([true, packed.length, md5(packed)]);
      const stream = file.open("gzip")!;
      expect(stream.bytes).toBe(packed.length);
      expect((await collect(stream.chunks)).equals(Buffer.from(packed))).toBe(true);
      const plain = file.open("identity")!;
      expect(plain.bytes).toBeUndefined();
      expect((await collect(plain.chunks)).equals(GUIDE)).toBe(true);
      file.close();
    }
  });

  test.each([0, 1, 2])("of %d bytes is one too", async (length) => {
    const file = await GuideFile.write(chunks(GUIDE.subarray(0, length)), tmpdir());
    expect((await collect(file.open("identity")!.chunks)).toString()).toBe("<tv>".slice(0, length));
    file.close();
  });

  test("has no name on the disk, and is gone when the last reader is", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-guide-test-"));
    const before = openGuides();
    const file = await GuideFile.write(chunks(Bun.gzipSync(randomBytes(1_000_000)), 10_000), directory);
    expect([await readdir(directory), openGuides()]).toEqual([[], before + 1]);
    const reader = file.open("gzip")!.chunks[Symbol.asyncIterator]();
    await reader.next();
    file.close();
    file.close();
    expect(openGuides()).toBe(before + 1);
    await reader.return?.();
    await until(() => openGuides() === before, LIMIT_MS, "the file to be closed");
    expect(collect(file.open("identity")!.chunks)).rejects.toThrow("has been replaced");
    await rm(directory, { recursive: true });
  });

  test("that cannot be kept leaves nothing", async () => {
    const before = openGuides();
    const broken = async function* (): Chunks {
      yield GUIDE;
      throw new Error("broken off");
    };
    expect(GuideFile.write(broken(), tmpdir())).rejects.toThrow("broken off");
    await GuideFile.write(broken(), tmpdir()).catch(() => {});
    const chunk = randomBytes(1024 * 1024);
    const noise = async function* (): Chunks {
      for (let n = 0; n <= MAX_FILE_BYTES; n += chunk.length) yield chunk;
    };
    expect(await GuideFile.write(noise(), tmpdir()).catch(({ code }) => code)).toBe("too-large");
    expect(openGuides()).toBe(before);
  });

  test("that finds no folder is kept in another", async () => {
    const moves: string[] = [];
    const file = await GuideFile.write(chunks(GUIDE), "/nonexistent", (place) => moves.push(place));
    expect(moves).toEqual(["kept in /var/tmp (/nonexistent: no such file or directory)"]);
    expect((await collect(file.open("identity")!.chunks)).equals(GUIDE)).toBe(true);
    file.close();
  });
});
