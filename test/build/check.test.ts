/** The check ends with one line that counts, and fails when anything failed; tried on a small project. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const TIMEOUT_MS = 60_000;
const SETTINGS = [
  ...["package.json", "bunfig.toml", "tsconfig.json", "biome.json", "test/check.ts", "test/tiers.ts"],
  // The types of the pages are a project of their own, which must not be empty.
  ...["src/web/tsconfig.json", "src/web/styles.d.ts"],
];

const GOOD_SOURCE = "export const one: number = 1;\n";
const header = 'import { expect, test } from "bun:test";\n\n';
const passing = 'test("passes", () => {\n  expect(1).toBe(1);\n});\n';
const failing = 'test("fails", () => {\n  expect(1).toBe(2);\n});\n';
/** Each for another reason no part of the quick tier. */
const wholeOnly = {
  "test/e2e/slow.test.ts": header + failing,
  "test/spawns.test.ts": `${header}Bun.spawnSync(["true"]);\n\n${failing}`,
};
const skipped = 'test.skip("is skipped", () => {\n  expect(1).toBe(1);\n});\n';
const todo = 'test.todo("is to be written");\n';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-check-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs the check on a project of these files, with no Bun in PATH. */
async function check(files: Record<string, string>, ci = "", tier: readonly string[] = []) {
  const project = await mkdtemp(join(directory, "project-"));
  await mkdir(join(project, "src/web"), { recursive: true });
  for (const file of SETTINGS) await cp(join(ROOT, file), join(project, file));
  await symlink(join(ROOT, "node_modules"), join(project, "node_modules"));
  for (const [file, text] of Object.entries({ "src/one.ts": GOOD_SOURCE, ...files })) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), text);
  }
  const child = Bun.spawn([process.execPath, "test/check.ts", ...tier], {
    cwd: project,
    env: { PATH: "/nowhere", HOME: project, ...(ci === "" ? {} : { CI: ci }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { status, lastLine: stdout.trimEnd().split("\n").at(-1), stderr };
}

interface Case {
  readonly files: Record<string, string>;
  readonly ci?: string;
  /** Arguments of the check. */
  readonly tier?: readonly string[];
  readonly status: number;
  readonly lastLine: string;
  readonly says?: string;
}

const cases: Record<string, Case> = {
  "all is well": { files: { "test/a.test.ts": header + passing }, status: 0, lastLine: "1 passed, 0 failed" },
  "tests fail and are skipped": {
    files: {
      "test/a.test.ts": `${header}${passing}\n${failing}\n${skipped}\n${todo}`,
      "test/b.test.ts": header + passing,
    },
    status: 1,
    lastLine: "2 passed, 1 failed, 2 skipped",
  },
  "a skipped test is allowed": {
    files: { "test/a.test.ts": `${header}${passing}\n${skipped}` },
    status: 0,
    lastLine: "1 passed, 0 failed, 1 skipped",
  },
  "a skipped test in CI": {
    files: { "test/a.test.ts": `${header}${passing}\n${skipped}` },
    ci: "true",
    status: 1,
    lastLine: "1 passed, 1 failed, 1 skipped",
    says: "check: 1 skipped, which CI does not allow",
  },
  "a badly formatted file": {
    files: { "test/a.test.ts": header + passing, "src/two.ts": "export const two=2\n" },
    status: 1,
    lastLine: "1 passed, 1 failed",
    says: "check: format and lint failed",
  },
  "a type error": {
    files: { "test/a.test.ts": header + passing, "src/two.ts": 'export const two: number = "2";\n' },
    status: 1,
    lastLine: "1 passed, 1 failed",
    says: "check: types failed",
  },
  "a test file that does not load": {
    files: { "test/a.test.ts": header + passing, "test/b.test.ts": `throw new Error("${"broken"}");\n` },
    status: 1,
    lastLine: "1 passed, 1 failed",
    says: "check: no result from test/b.test.ts",
  },
  "the quick tier": {
    files: { ...wholeOnly, "test/a.test.ts": header + passing },
    tier: ["quick"],
    status: 0,
    lastLine: "1 passed, 0 failed",
  },
  "the quick tier with a type error and a failing test": {
    files: { ...wholeOnly, "test/a.test.ts": header + failing, "src/two.ts": 'export const two: number = "2";\n' },
    tier: ["quick"],
    status: 1,
    lastLine: "0 passed, 2 failed",
    says: "check: types failed",
  },
  "no quick test": { files: wholeOnly, tier: ["quick"], status: 1, lastLine: "0 passed, 1 failed" },
  "no test at all": { files: {}, status: 1, lastLine: "0 passed, 1 failed" },
};

test.each(Object.keys(cases))(
  "%s",
  async (name) => {
    const { files, ci, tier, status, lastLine, says } = cases[name]!;
    const result = await check(files, ci, tier);
    expect(result).toMatchObject({ status, lastLine });
    if (says !== undefined) expect(result.stderr).toContain(says);
  },
  TIMEOUT_MS,
);
