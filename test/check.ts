/**
 * The whole check: `bun run check`. Formatter, linter, types and every test; the last line is
 * `N passed, N failed`, counted from the test runner's JUnit report, and the exit status is 1 when anything failed.
 * `bun run check:quick` is the same with the tests of the quick tier alone (`tiers.ts`), for between two edits.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQuick } from "./tiers.ts";

const ROOT = join(import.meta.dir, "..");
/** For a test that names no limit of its own: what it waits for has limits, which tell more, and a machine may be busy. */
const TEST_TIMEOUT_MS = 60_000;
/** Test files that run at the same time: most of them wait. The quick ones do not mind each other's load. */
const PARALLEL_FILES = 2;
const PARALLEL_QUICK_FILES = 4;
const IS_QUICK = process.argv[2] === "quick";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs one tool with the Bun that runs us, so that none need be in PATH. Resolves to whether it succeeded. */
async function succeeds(...command: string[]): Promise<boolean> {
  const child = Bun.spawn([process.execPath, ...command], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  return (await child.exited) === 0;
}

/** Counts the results of a JUnit report. A test file that it does not mention did not load: one failure each. */
function countResults(report: string, testFiles: readonly string[]): Counts {
  const totals = /<testsuites [^>]*>/.exec(report)?.[0] ?? "";
  const total = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const silent = testFiles.filter((file) => !report.includes(` file="${file}"`));
  for (const file of silent) console.error(`check: no result from ${file}`);
  const failures = total("failures");
  const skipped = total("skipped");
  return { passed: total("tests") - failures - skipped, failed: failures + silent.length, skipped };
}

async function runTests(): Promise<Counts> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-check-"));
  const reportFile = join(directory, "junit.xml");
  try {
    const allFiles = [...new Bun.Glob("test/**/*.test.ts").scanSync(ROOT)].sort();
    const testFiles = IS_QUICK ? allFiles.filter((file) => isQuick(ROOT, file)) : allFiles;
    const parallel = IS_QUICK ? PARALLEL_QUICK_FILES : PARALLEL_FILES;
    const limit = ["--timeout", String(TEST_TIMEOUT_MS), `--parallel=${parallel}`];
    const reporter = ["--reporter=junit", `--reporter-outfile=${reportFile}`];
    // Without the dots and the slash, a name would be a pattern; with no name at all, every test would run.
    const chosen = IS_QUICK ? testFiles.map((file) => `./${file}`) : [];
    const ok = testFiles.length > 0 && (await succeeds("test", ...limit, ...reporter, ...chosen));
    const report = (await Bun.file(reportFile).exists()) ? await Bun.file(reportFile).text() : "";
    const counts = countResults(report, testFiles);
    // An error outside any test, or a crash of the runner, is in the exit status only.
    if (!ok && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const TYPESCRIPT = "node_modules/typescript/bin/tsc";
const STEPS: Readonly<Record<string, readonly string[]>> = {
  "format and lint": ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
  types: [TYPESCRIPT, "--noEmit", "-p", "tsconfig.json"],
  "types of the pages": [TYPESCRIPT, "--noEmit", "-p", "src/web/tsconfig.json"],
};
const steps = Object.entries(STEPS).map(async ([step, command]) => ((await succeeds(...command)) ? [] : [step]));
const failedSteps = (await Promise.all(steps)).flat();

const { passed, failed: failedTests, skipped } = await runTests();
let failed = failedTests + failedSteps.length;
for (const step of failedSteps) console.error(`check: ${step} failed`);
const { CI } = process.env;
if (skipped > 0 && CI === "true") {
  console.error(`check: ${skipped} skipped, which CI does not allow`);
  failed += skipped;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);
