/** What the sources import from each other, read from their text: cycles between files, and exports that nothing needs. */

import { dirname, join } from "node:path";

/** Path, from the root of the project, to text. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  /** As it is written, such as `../wire/a.ts`. */
  readonly specifier: string;
  /** Of what is exported there: `*` for a namespace, none for a file that is only run or named. */
  readonly names: readonly string[];
}

/** Without comments that have lines of their own. */
export function codeOf(text: string): string {
  return text.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
}

/** All imports of a file: static, dynamic, of types alone, re-exports, and files named with `new URL`. */
export function importsOf(text: string): Import[] {
  const code = codeOf(text);
  const clauses = [
    ...code.matchAll(/\b(?:import|export)\s+(?:type\s+)?([\w*{][^"'`;=()]*?)\s*\bfrom\s*(["'])([^"'\n]+)\2/g),
  ];
  const fromClauses = clauses.map(([, clause = "", , specifier = ""]) => ({ specifier, names: clauseNames(clause) }));
  const patterns = [
    // import("a.ts").Name, (await import("a.ts")).name, import("a.ts").then(({ name }) => …)
    /\bimport\(\s*(["'`])([^"'`\n]+)\1\s*\)\)?\s*\.(?:then\(\(\{([^}]*)\}|(\w+))/g,
    /\bimport\s*\(?\s*(["'`])([^"'`\n]+)\1/g,
    /\bnew URL\(\s*(["'`])([^"'`\n]+)\1, import\.meta/g,
  ];
  const others = patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, , specifier = "", list, name]) => ({
      specifier,
      names: list === undefined ? (name === undefined ? [] : [name]) : listedNames(list),
    })),
  );
  const unpacked = [...code.matchAll(/\{([^{}]*)\}\s*=\s*await\s+import\(\s*(["'])([^"'\n]+)\2/g)];
  const destructured = unpacked.map(([, list = "", , specifier = ""]) => ({ specifier, names: listedNames(list) }));
  return [...fromClauses, ...others, ...destructured];
}

/** The names that `a, { b as c, type D }` or `* as e` takes from the other file. */
function clauseNames(clause: string): string[] {
  if (clause.startsWith("*")) return ["*"];
  const list = /\{([^}]*)\}/.exec(clause)?.[1];
  const ownName = /^\w+/.test(clause) ? ["default"] : [];
  return list === undefined ? ownName : [...ownName, ...listedNames(list)];
}

function listedNames(list: string): string[] {
  const names = list.split(",").map((item) => item.trim().replace(/^type\s+/, ""));
  return names.map((item) => item.split(/\s+as\s+|\s*:/)[0]!.trim()).filter((name) => name !== "");
}

function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(path), specifier) : undefined;
}

/** Groups of files that import each other, directly or in a round, types too: none can be understood alone. */
export function cyclesOf(sources: Sources): string[][] {
  const targets = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const all = importsOf(text).map(({ specifier }) => targetOf(path, specifier));
    targets.set(path, [...new Set(all)].filter((target) => target !== undefined && sources.has(target)) as string[]);
  }
  const reached = new Map([...sources.keys()].map((path) => [path, reachableFrom(path, targets)]));
  const groups = new Map<string, string[]>();
  for (const [path, others] of reached) {
    if (!others.has(path)) continue;
    const group = [...others].filter((other) => reached.get(other)?.has(path)).sort();
    groups.set(group.join(), group);
  }
  return [...groups.values()];
}

/** What a file imports, and what that imports. The file itself is among them if it is in a cycle. */
function reachableFrom(path: string, targets: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [path];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const target of targets.get(next) ?? []) {
      if (reached.has(target)) continue;
      reached.add(target);
      open.push(target);
    }
  }
  return reached;
}

interface Export {
  readonly name: string;
  readonly isType: boolean;
}

function exportsOf(text: string): Export[] {
  const declaration =
    /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|let|var|function\*?|class|enum|interface|type)\s+(\w+)/gm;
  return [...codeOf(text).matchAll(declaration)].map(([, kind = "", name = ""]) => ({
    name,
    isType: kind === "interface" || kind === "type",
  }));
}

/**
 * The exports of `sources` that nothing of the program needs, as `path#name`. A value has to be imported by another source or
 * by a file of `builders`. For a type a test is enough: it is erased, and only gives a name to what a function takes or returns.
 */
export function unusedExports(sources: Sources, builders: Sources, tests: Sources): string[] {
  const program = importedNames(new Map([...sources, ...builders]));
  const all = importedNames(new Map([...sources, ...builders, ...tests]));
  const isUsed = (used: ReadonlySet<string>, path: string, name: string) =>
    used.has(`${path}#${name}`) || used.has(`${path}#*`);
  return [...sources].flatMap(([path, text]) =>
    exportsOf(text)
      .filter(({ name, isType }) => !isUsed(isType ? all : program, path, name))
      .map(({ name }) => `${path}#${name}`),
  );
}

function importedNames(sources: Sources): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [path, text] of sources) {
    for (const { specifier, names } of importsOf(text)) {
      const target = targetOf(path, specifier);
      for (const name of names) used.add(`${target}#${name}`);
    }
  }
  return used;
}
