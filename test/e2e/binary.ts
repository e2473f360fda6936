/** Builds the executable that the end-to-end tests run, once for each state of the sources. */

import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const DIRECTORY = join(ROOT, "dist/test");
/** Executables of older sources are kept this long, for another test run may be using them. */
const KEEP_MS = 3_600_000;

/**
 * Returns the executable made from the main file `entry`. It is built if the sources, build.ts or the packages have
 * changed; test files and processes share it. Throws with the output of the build.
 */
export async function builtBinary(entry: string): Promise<string> {
  const binary = join(DIRECTORY, `sluice-${await contentHash(entry)}`);
  if (await Bun.file(binary).exists()) return binary;
  await mkdir(DIRECTORY, { recursive: true });
  await removeOld();
  const outdir = await mkdtemp(join(DIRECTORY, "building-"));
  try {
    const command = [process.execPath, join(ROOT, "build.ts"), "--host", "--entry", entry, "--outdir", outdir];
    const build = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"] });
    const stderr = await new Response(build.stderr).text();
    if ((await build.exited) !== 0) throw new Error(stderr);
    const built = (await readdir(outdir)).find((name) => name.startsWith("sluice-"))!;
    await rename(join(outdir, built), binary);
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
  return binary;
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(DIRECTORY)) {
    const path = join(DIRECTORY, name);
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (modified < Date.now() - KEEP_MS) await rm(path, { recursive: true, force: true });
  }
}

async function contentHash(entry: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(Bun.revision).update(await readFile(entry));
  const sources = [...new Bun.Glob("src/**").scanSync(ROOT)].sort();
  for (const file of [...sources, "build.ts", "package.json", "bun.lock", "tsconfig.json"]) {
    hash.update(file).update(await readFile(join(ROOT, file)));
  }
  return hash.digest("hex").slice(0, 16);
}
