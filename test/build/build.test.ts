/** The build makes working, reproducible executables and stops with a clear message when it cannot. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUN_VERSION, BuildError, type FetchPackage, hostTarget, runtimeTarball, TARGETS } from "../../build.ts";

const ROOT = join(import.meta.dir, "../..");
const BUILD_TIMEOUT_MS = 60_000;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-build-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Result> {
  const child = Bun.spawn(command, {
    cwd: options.cwd ?? directory,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { status, stdout, stderr };
}

const build = (args: string[], env: Record<string, string> = {}) =>
  run([process.execPath, join(ROOT, "build.ts"), ...args], { env });

describe("--host", () => {
  /** A program with a file in it; a copy in another place must give the same bytes. */
  async function program(name: string): Promise<string> {
    const sources = join(directory, name);
    await mkdir(sources);
    await writeFile(join(sources, "clip.bin"), "a clip");
    await writeFile(
      join(sources, "main.ts"),
      `import clip from "./clip.bin" with { type: "file" };
       console.log(await Bun.file(clip).text(), process.env.SECRET ?? "no secret", process.argv.slice(2).join());`,
    );
    return join(sources, "main.ts");
  }

  test(
    "makes the same working executable from the same sources anywhere, without network",
    async () => {
      const { name } = await hostTarget();
      const offline = { NODE_ENV: "test", PATH: "", XDG_CACHE_HOME: join(directory, "no-cache") };
      const one = join(directory, "one");
      const two = join(directory, "two");
      const first = await build(["--host", "--entry", await program("here"), "--outdir", one], offline);
      expect(first).toMatchObject({ status: 0, stderr: "" });
      expect(first.stdout).toContain(`sluice-linux-${name}`);
      expect(await build(["--host", "--entry", await program("there"), "--outdir", two])).toMatchObject({ status: 0 });
      const sums = await Bun.file(join(one, "SHA256SUMS")).text();
      expect(sums).toMatch(new RegExp(`^[0-9a-f]{64}  sluice-linux-${name}\n$`));
      expect(await Bun.file(join(two, "SHA256SUMS")).text()).toBe(sums);
      expect(await run(["sha256sum", "-c", "SHA256SUMS"], { cwd: one })).toMatchObject({ status: 0 });

      // The working directory of a service may belong to anybody.
      await writeFile(join(directory, ".env"), "SECRET=leaked\n");
      await writeFile(join(directory, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
      await writeFile(join(directory, "evil.ts"), 'console.log("evil");\n');
      const { stdout } = await run([join(one, `sluice-linux-${name}`), "-m", "5"]);
      expect(stdout).toBe("a clip no secret -m,5\n");
    },
    BUILD_TIMEOUT_MS,
  );
});

test("--help says how, and builds nothing", async () => {
  const outdir = join(directory, "unasked");
  const { status, stdout, stderr } = await build(["--help", "--outdir", outdir]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const word of ["--host", "--target NAME", "--outdir DIR", "--entry FILE", ...TARGETS.map(({ name }) => name)]) {
    expect(stdout).toContain(word);
  }
  expect(existsSync(outdir)).toBe(false);
});

describe("the build stops with a message and status 1", () => {
  test.each([
    [["--target", "mips"], 'build: unknown target "mips": use one of x64, arm64, x64-musl, arm64-musl\n'],
    [["--frobnicate"], "Unknown option '--frobnicate'"],
    [["--host", "--target", "x64"], "--host and --target exclude each other"],
    [["--host", "--entry", "missing.ts"], "no such entry: "],
  ])("%j", async (args, message) => {
    const entry = args.includes("--entry") ? [] : ["--entry", import.meta.path];
    const result = await build([...entry, ...args, "--outdir", join(directory, "none")]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(message);
  });

  test("a source that does not compile", async () => {
    const entry = join(directory, "broken.ts");
    await writeFile(entry, 'import "./nowhere.ts";\n');
    const result = await build(["--host", "--entry", entry, "--outdir", join(directory, "none")]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('Could not resolve: "./nowhere.ts"');
  });
});

describe("a pinned runtime", () => {
  const tarball = Buffer.from("the pinned bytes");
  const integrity = `sha512-${new Bun.CryptoHasher("sha512").update(tarball).digest("base64")}`;
  const target = { ...TARGETS[0]!, integrity };
  const fetched: string[] = [];
  beforeEach(() => {
    fetched.length = 0;
  });
  const serve =
    (bytes: Uint8Array): FetchPackage =>
    async (spec, into) => {
      fetched.push(spec);
      await writeFile(join(into, "package.tgz"), bytes);
    };
  const offline: FetchPackage = () => Promise.reject(new BuildError("offline"));

  test("is fetched once, then read from the cache", async () => {
    const cache = join(directory, "cache");
    expect(await runtimeTarball(target, cache, serve(tarball))).toEqual(new Uint8Array(tarball));
    expect(fetched).toEqual([`@oven/bun-linux-x64@${BUN_VERSION}`]);
    expect(await runtimeTarball(target, cache, offline)).toEqual(new Uint8Array(tarball));
    expect(await readdir(cache)).toHaveLength(1);
  });

  test("that has changed in the registry is refused and not cached", async () => {
    const cache = join(directory, "fooled");
    const fooled = runtimeTarball(target, cache, serve(Buffer.from("other bytes")));
    await expect(fooled).rejects.toThrow(/is not the pinned runtime[\s\S]*The published package has changed/);
    expect(await readdir(cache)).toEqual([]);
    await expect(runtimeTarball(target, cache, offline)).rejects.toThrow("offline");
  });

  test("that has changed in the cache is refused", async () => {
    const cache = join(directory, "rotten");
    await runtimeTarball(target, cache, serve(tarball));
    const file = join(cache, (await readdir(cache))[0]!);
    await writeFile(file, "rotten bytes");
    await expect(runtimeTarball(target, cache, offline)).rejects.toThrow(`Delete ${file} to fetch it again.`);
  });

  test("every target has one, of the version that package.json names", () => {
    expect(BUN_VERSION).toBe(Bun.version);
    for (const { integrity } of TARGETS) expect(integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(new Set(TARGETS.map(({ integrity }) => integrity)).size).toBe(4);
  });
});
