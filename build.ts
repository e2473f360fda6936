/**
 * Builds the release executables: `bun run build`; `--help` says with which options.
 *
 * Each target is the bundled program behind a Bun runtime. The runtimes are npm packages, pinned by version and by
 * the integrity of their tarball, so that the same sources give the same bytes on every machine. To move to another
 * Bun: change `packageManager` in package.json and the four integrities (`npm view PACKAGE@VERSION dist.integrity`).
 */

import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "./package.json" with { type: "json" };
import { bundleSite } from "./src/web/bundle.ts";
import { BEST_BROTLI_QUALITY, embeddedSite } from "./src/web/embed.ts";

/** One executable that is released. */
export interface Target {
  readonly name: string;
  readonly compile: Bun.Build.CompileTarget;
  /** npm package that holds the runtime as `bin/bun`. */
  readonly runtime: string;
  /** Subresource integrity of that package's tarball. */
  readonly integrity: string;
}

export const TARGETS: readonly Target[] = [
  {
    name: "x64",
    compile: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    integrity: "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
  },
  {
    name: "arm64",
    compile: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    integrity: "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  },
  {
    name: "x64-musl",
    compile: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    integrity: "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
  },
  {
    name: "arm64-musl",
    compile: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    integrity: "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
  },
];

/** The Bun that compiles and that is compiled in: exactly the one package.json names. */
export const BUN_VERSION = packageJson.packageManager.replace("bun@", "");

/** The npm that is run through Bun where the machine has none. */
const NPM_PACKAGE = "npm@11.19.1";

/** A program name is part of the executable's bytes, so releases have fixed names. */
const PROGRAM = "sluice-linux-";
const ROOT = import.meta.dir;
/** The only entry that serves pages. */
const MAIN = join(ROOT, "src/main.ts");

/** A failure that the person who builds can act on; the message says how. */
export class BuildError extends Error {}

/** Fetches the tarball of `spec` (`name@version`) into `dir`. Throws BuildError. */
export type FetchPackage = (spec: string, dir: string) => Promise<void>;

export const fetchWithNpm: FetchPackage = async (spec, dir) => {
  console.log(`fetching ${spec}`);
  const npm = Bun.which("npm") ? ["npm"] : [process.execPath, "x", "--bun", NPM_PACKAGE];
  const child = Bun.spawn([...npm, "pack", "--silent", "--pack-destination", dir, spec], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new BuildError(`cannot fetch ${spec}: npm pack failed`);
};

/** Where runtime tarballs stay between builds. They are verified at each use. */
export function cacheDirectory(): string {
  const { XDG_CACHE_HOME } = process.env;
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "sluice-build");
}

/** Reads `file`. Throws BuildError, with `advice`, if it is not byte for byte the pinned tarball. */
async function readVerified(file: string, target: Target, advice: string): Promise<Uint8Array> {
  const bytes = await Bun.file(file).bytes();
  const found = `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`;
  if (found === target.integrity) return bytes;
  throw new BuildError(
    `${target.runtime}@${BUN_VERSION} is not the pinned runtime\n` +
      `  pinned ${target.integrity}\n  found  ${found}\n${advice}`,
  );
}

/** Reads the pinned runtime tarball of `target`, from `cache` or else with `fetchPackage`. Throws BuildError. */
export async function runtimeTarball(
  target: Target,
  cache: string,
  fetchPackage: FetchPackage = fetchWithNpm,
): Promise<Uint8Array> {
  const spec = `${target.runtime}@${BUN_VERSION}`;
  const cached = join(cache, `${spec.replace("@", "").replace("/", "-")}.tgz`);
  if (await Bun.file(cached).exists()) return readVerified(cached, target, `Delete ${cached} to fetch it again.`);

  await mkdir(cache, { recursive: true });
  const incoming = await mkdtemp(join(cache, "incoming-"));
  try {
    await fetchPackage(spec, incoming);
    const fetched = (await readdir(incoming)).find((name) => name.endsWith(".tgz"));
    if (fetched === undefined) throw new BuildError(`cannot fetch ${spec}: npm pack left no tarball`);
    const bytes = await readVerified(join(incoming, fetched), target, "The published package has changed.");
    await rename(join(incoming, fetched), cached);
    return bytes;
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

/** The target this machine runs. Throws BuildError if none does. */
export async function hostTarget(): Promise<Target> {
  // The loader's path stands near the start of an ELF file; musl's is /lib/ld-musl-ARCH.so.1.
  const head = await Bun.file(process.execPath).slice(0, 4096).bytes();
  const libc = Buffer.from(head).includes("ld-musl") ? "-musl" : "";
  const target = TARGETS.find(({ name }) => process.platform === "linux" && name === process.arch + libc);
  if (target !== undefined) return target;
  throw new BuildError(`no target for this machine (${process.platform} ${process.arch}): use --target NAME`);
}

interface Compilation {
  readonly entry: string;
  readonly outdir: string;
  readonly plugins: readonly Bun.BunPlugin[];
}

/** Compiles `entry` to `outdir/sluice-linux-NAME` with the Bun executable at `runtime`. Throws BuildError. */
async function compile(target: Target, runtime: string, { entry, outdir, plugins }: Compilation): Promise<string> {
  const outfile = join(outdir, PROGRAM + target.name);
  const result = await Bun.build({
    entrypoints: [entry],
    minify: true,
    // Functions need not be parsed when they are first called: a worker starts, and answers its first clients, with less CPU.
    bytecode: true,
    format: "esm",
    // What is imported when it is needed stays out of memory until then.
    splitting: true,
    // The bundler would otherwise write the builder's own NODE_ENV into the program.
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [...plugins],
    throw: false,
    compile: {
      target: target.compile,
      executablePath: runtime,
      outfile,
      // Otherwise a .env or bunfig.toml in the working directory, which may belong to anybody, runs code.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success) throw new BuildError(`cannot compile ${entry}\n${result.logs.join("\n")}`);
  return outfile;
}

/** Compiles `entry` for `target` with its pinned runtime. Throws BuildError. */
async function buildPinned(target: Target, compilation: Compilation): Promise<string> {
  const tarball = await runtimeTarball(target, cacheDirectory());
  const unpacked = await mkdtemp(join(tmpdir(), "sluice-runtime-"));
  try {
    await new Bun.Archive(tarball).extract(unpacked, { glob: "package/bin/bun" });
    return await compile(target, join(unpacked, "package/bin/bun"), compilation);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** Writes SHA256SUMS for the executables that `outdir` now holds, in the format of `sha256sum -c`. */
async function writeSums(outdir: string): Promise<void> {
  const names = (await readdir(outdir)).filter((name) => name.startsWith(PROGRAM)).sort();
  const lines: string[] = [];
  for (const name of names) {
    const hash = new Bun.CryptoHasher("sha256").update(await Bun.file(join(outdir, name)).bytes());
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await Bun.write(join(outdir, "SHA256SUMS"), lines.join(""));
}

const USAGE = `usage: bun run build [--host | --target NAME] [--outdir DIR] [--entry FILE]

Makes the executables of all targets: ${TARGETS.map(({ name }) => name).join(", ")}.

  --host         for this machine alone, with the Bun that builds: nothing is fetched
  --target NAME  for one target alone
  --outdir DIR   where they go (dist)
  --entry FILE   another program than sluice
  --help         shows this`;

/** Throws BuildError. */
async function sitePlugin(): Promise<Bun.BunPlugin> {
  try {
    return await embeddedSite(await bundleSite(BEST_BROTLI_QUALITY));
  } catch (error) {
    throw new BuildError(`${error instanceof Error ? error.message : error}`);
  }
}

function parseCommandLine(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: "boolean", default: false },
        host: { type: "boolean", default: false },
        target: { type: "string" },
        outdir: { type: "string", default: join(ROOT, "dist") },
        entry: { type: "string", default: MAIN },
      },
    });
    return values;
  } catch (error) {
    throw new BuildError(`${error instanceof Error ? error.message : error}`);
  }
}

function selectTargets(name: string | undefined): readonly Target[] {
  if (name === undefined) return TARGETS;
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (target !== undefined) return [target];
  throw new BuildError(`unknown target "${name}": use one of ${TARGETS.map((known) => known.name).join(", ")}`);
}

async function main(args: string[]): Promise<void> {
  const options = parseCommandLine(args);
  if (options.help) {
    console.log(USAGE);
    return;
  }
  if (Bun.version !== BUN_VERSION) {
    throw new BuildError(`this is bun ${Bun.version}, but package.json names ${packageJson.packageManager}`);
  }
  if (options.host && options.target !== undefined) throw new BuildError("--host and --target exclude each other");
  const entry = resolve(options.entry);
  const outdir = resolve(options.outdir);
  if (!(await Bun.file(entry).exists())) throw new BuildError(`no such entry: ${entry}`);
  await mkdir(outdir, { recursive: true });

  const plugins = entry === MAIN ? [await sitePlugin()] : [];
  const compilation = { entry, outdir, plugins };
  const built: string[] = [];
  if (options.host) built.push(await compile(await hostTarget(), process.execPath, compilation));
  else for (const target of selectTargets(options.target)) built.push(await buildPinned(target, compilation));
  await writeSums(outdir);
  for (const file of built) console.log(`${basename(file)}  ${(Bun.file(file).size / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`build: ${error.message}`);
    process.exit(1);
  }
}
