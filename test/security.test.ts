/** src/SECURITY.md names constants with their values and files: each must stand there as it says. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const SRC = join(import.meta.dir, "../src");
/** `NAME = VALUE` or `NAME`, several with commas between them, then their file in brackets. */
const GROUP = /((?:`[A-Z][A-Z0-9_]+(?: = [^`]+)?`,? )+)\(`([\w/.-]+\.ts)`\)/g;
const CONSTANT = /`([A-Z][A-Z0-9_]+)(?: = ([^`]+))?`/g;

interface Cited {
  readonly file: string;
  readonly name: string;
  readonly value: string | undefined;
}

function citedConstants(page: string): Cited[] {
  return Array.from(page.matchAll(GROUP)).flatMap(([, constants = "", file = ""]) =>
    Array.from(constants.matchAll(CONSTANT), ([, name = "", value]) => ({ file, name, value })),
  );
}

/** Why a file's text does not have the constant; undefined when it does. */
function problemOf({ name, value }: Cited, source: string): string | undefined {
  const found = new RegExp(`^(?:export )?const ${name}(?:: [^=]+)? = (.*?);?$`, "m").exec(source)?.[1];
  if (found === undefined) return `no constant ${name}`;
  return value === undefined || found === value ? undefined : `${name} = ${found}, not ${value}`;
}

test("constants are found in a page, and missed in a source that has them not", () => {
  const [first, second, third] = citedConstants("| x | `A_B = 1`, `CC` (`a/b.ts`), `D_E = 2 * 3` (`c.ts`) | `F` |");
  expect([first, second, third]).toEqual([
    { file: "a/b.ts", name: "A_B", value: "1" },
    { file: "a/b.ts", name: "CC", value: undefined },
    { file: "c.ts", name: "D_E", value: "2 * 3" },
  ]);
  expect(problemOf(first!, "/** Why. */\nexport const A_B = 1;\n")).toBeUndefined();
  expect(problemOf(first!, "const A_B = 12;\n")).toBe("A_B = 12, not 1");
  expect(problemOf(second!, "const CC: Limits = { a: 1 };\n")).toBeUndefined();
  expect(problemOf(second!, "const CCD = 1;\n")).toBe("no constant CC");
});

test("SECURITY.md says of every constant what its file says", async () => {
  const page = await Bun.file(join(SRC, "SECURITY.md")).text();
  const cited = citedConstants(page);
  // One that the finder does not see would go unchecked.
  expect(cited.filter(({ value }) => value !== undefined).length).toBe(page.match(/`[A-Z][A-Z0-9_]+ = /g)?.length ?? 0);
  const problems: string[] = [];
  for (const constant of cited) {
    const path = join(SRC, constant.file);
    const problem = existsSync(path) ? problemOf(constant, await Bun.file(path).text()) : "no such file";
    if (problem !== undefined) problems.push(`${constant.file}: ${problem}`);
  }
  expect(problems).toEqual([]);
});

test("SECURITY.md names files and folders that exist", async () => {
  const page = await Bun.file(join(SRC, "SECURITY.md")).text();
  const paths = Array.from(page.matchAll(/`([a-z0-9-]+\/[\w/.-]*)`/g), ([, path]) => path!);
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => !existsSync(join(SRC, path)))).toEqual([]);
});
