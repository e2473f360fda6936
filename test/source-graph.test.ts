import { describe, expect, test } from "bun:test";
import { cyclesOf, importsOf, unusedExports } from "./source-graph.ts";

function sources(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(files));
}

describe("imports", () => {
  test.each([
    ['import { a, type B, c as d } from "./x.ts";', "./x.ts", ["a", "B", "c"]],
    ['import type { A } from "./x.ts";', "./x.ts", ["A"]],
    ['import a, { b } from "./x.ts";', "./x.ts", ["default", "b"]],
    ['import {\n  a,\n  b,\n} from "./x.ts";', "./x.ts", ["a", "b"]],
    ['import * as a from "./x.ts";', "./x.ts", ["*"]],
    ['import "./x.ts";', "./x.ts", []],
    ['export { a } from "./x.ts";', "./x.ts", ["a"]],
    ['export * from "./x.ts";', "./x.ts", ["*"]],
    ['const { a, b: c } = await import("./x.ts");', "./x.ts", ["a", "b"]],
    ['(await import("./x.ts")).a();', "./x.ts", ["a"]],
    ['export type A = import("./x.ts").B;', "./x.ts", ["B"]],
    ['import("./x.ts").then(({ a }) => a());', "./x.ts", ["a"]],
    ['new Worker(new URL("./x.ts", import.meta.url));', "./x.ts", []],
  ])("%s", (code, specifier, names) => {
    const found = importsOf(code);
    expect(found.map((each) => each.specifier)).toContain(specifier);
    expect(new Set(found.map((each) => each.specifier)).size).toBe(1);
    expect([...new Set(found.flatMap((each) => each.names))].sort()).toEqual([...names].sort());
  });

  test.each(['// import { a } from "./x.ts";', ' * import { a } from "./x.ts";', 'const from = "./x.ts";'])(
    "none in %j",
    (code) => {
      expect(importsOf(code)).toEqual([]);
    },
  );
});

describe("cycles", () => {
  test("none where two files import a third, and two ways lead to one file", () => {
    const files = { "a.ts": 'import "./b.ts"; import "./c.ts";', "b.ts": 'import "./c.ts";', "c.ts": 'import "bun";' };
    expect(cyclesOf(sources(files))).toEqual([]);
  });

  test("of two files, one of which imports a type", () => {
    const files = { "x/a.ts": 'import { b } from "../b.ts";', "b.ts": 'import type { A } from "./x/a.ts";' };
    expect(cyclesOf(sources(files))).toEqual([["b.ts", "x/a.ts"]]);
  });

  test("of three files, without those that lead there, and beside another cycle", () => {
    const files = {
      "in.ts": 'import "./a.ts";',
      "a.ts": 'import "./b.ts";',
      "b.ts": 'import "./c.ts"; import "./out.ts";',
      "c.ts": 'const a = await import("./a.ts");',
      "out.ts": 'import "./own.ts";',
      "own.ts": 'import "./own.ts";',
    };
    expect(cyclesOf(sources(files))).toEqual([["a.ts", "b.ts", "c.ts"], ["own.ts"]]);
  });
});

describe("unused exports", () => {
  const values = `export const LIMIT_MS = 1;
export async function ask() {}
export abstract class Source {}
export function* all() {}
const inner = 1;`;

  test("none that another source or the build imports, in whatever way", () => {
    const program = sources({
      "src/a.ts": values,
      "src/b.ts": 'import { ask, type Source } from "./a.ts";\nconst { all } = await import("./a.ts");',
      "src/c.ts": "export interface Named {}\nexport type Other = Named;",
      "src/d.ts": 'import type * as c from "./c.ts";',
    });
    expect(
      unusedExports(program, sources({ "build.ts": 'import { LIMIT_MS } from "./src/a.ts";' }), new Map()),
    ).toEqual([]);
  });

  test("values that only tests import, and those of the same name elsewhere", () => {
    const program = sources({
      "src/a.ts": values,
      "src/b.ts": 'import { ask } from "./a.ts";\nimport { LIMIT_MS } from "./x/a.ts";',
      "src/x/a.ts": "export const LIMIT_MS = 2;",
    });
    const tests = sources({ "test/a.test.ts": 'import { LIMIT_MS, Source } from "../src/a.ts";' });
    expect(unusedExports(program, new Map(), tests)).toEqual(["src/a.ts#LIMIT_MS", "src/a.ts#Source", "src/a.ts#all"]);
  });

  test("types that nobody imports, but not those that a test names", () => {
    const program = sources({ "src/a.ts": "export interface Parts {}\nexport type Outcome = Parts;" });
    const tests = sources({ "test/a.test.ts": 'import type { Outcome } from "../src/a.ts";' });
    expect(unusedExports(program, new Map(), tests)).toEqual(["src/a.ts#Parts"]);
  });
});
