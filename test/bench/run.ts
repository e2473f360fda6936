/**
 * The benchmark: `bun run bench`. Builds the executable for this machine, measures it with bench.py beside the practical
 * floor, the kernel's cost of sending, nginx and whatever targets files name, and prints what the ratios are (README.md).
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatSummary, type Results, summarize } from "./summary.ts";

const ROOT = join(import.meta.dir, "../..");
const OURS = "sluice";
const SCENARIOS = "multi8,same8,same64,same250,same1000,multi64,high1,zap,http-proxy,rtsp-tcp";
const CLIENT_LIMIT = "2000";

function parseCommandLine(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      scenarios: { type: "string", default: SCENARIOS },
      reps: { type: "string", default: "3" },
      warmup: { type: "string", default: "5" },
      window: { type: "string", default: "6" },
      only: { type: "string" },
      targets: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      md: { type: "string" },
      retries: { type: "string" },
      nice: { type: "string" },
      "max-noise": { type: "string" },
      pin: { type: "boolean", default: false },
    },
  });
  return values;
}

/** Runs a program that may speak; what it prints is seen. */
async function run(...command: string[]): Promise<void> {
  const status = await Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] }).exited;
  if (status !== 0) throw new Error(`${command[0]} has ended with status ${status}`);
}

/** The executable, built into `directory`. */
async function build(directory: string): Promise<string> {
  await run(process.execPath, "build.ts", "--host", "--outdir", directory);
  const name = (await readdir(directory)).find((file) => file.startsWith("sluice-"));
  if (name === undefined) throw new Error("the build has left no executable");
  return join(directory, name);
}

/** The targets file's entry of our executable (README.md, "Targets"). */
function ownTarget(executable: string) {
  return {
    cmd: [executable, "-C", "-l", "@port@", "-r", "@mcif@", "-m", CLIENT_LIMIT],
    port: 5140,
    urls: {
      rtp: "/rtp/@group@:@mport@",
      udp: "/udp/@group@:@mport@",
      http: "/http/@origin@:@oport@@path@",
      rtsp: "/rtsp/@origin@:@rport@@path@",
    },
  };
}

/** The names in targets files. */
async function peersIn(files: readonly string[]): Promise<string[]> {
  const all = await Promise.all(files.map((file) => Bun.file(file).json()));
  return all.flatMap((targets) => Object.keys(targets));
}

async function main(args: string[]): Promise<void> {
  const { only, targets, out, pin, ...rest } = parseCommandLine(args);
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const own = join(directory, "targets.json");
    await Bun.write(own, JSON.stringify({ [OURS]: ownTarget(await build(directory)) }));
    const builtIn = ["floor", "send", ...(Bun.which("nginx") ? ["nginx"] : [])];
    const others = only === undefined ? [...builtIn, ...(await peersIn(targets))] : only.split(",");
    const names = [OURS, ...others.filter((name) => name !== OURS)];
    const results = out ?? join(directory, "results.json");
    const options = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
    if (pin) options.push("--pin");
    for (const file of [own, ...targets]) options.push("--targets", file);
    const script = join(import.meta.dir, "bench.py");
    await run("python3", script, ...options, "--only", names.join(","), "--ref", OURS, "--out", results);
    const { results: measured } = (await Bun.file(results).json()) as { readonly results: Results };
    const peers = names.slice(1);
    console.log(formatSummary(summarize(measured, OURS, peers), OURS, peers));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
