/** Reads the imports and first lines of all sources, so that the plan of the house (src/README.md) cannot drift. */

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = join(import.meta.dir, "..");
const SRC = join(ROOT, "src");

const FORMATS = ["wire"];
const SYSTEM = [...FORMATS, "system"];
const HEART = [...SYSTEM, "relay", "http"];
const STATUS = [...HEART, "status"];
const TIMESHIFT = [...STATUS, "timeshift"];
const PLAYLIST = [...TIMESHIFT, "playlist"];
/** Files directly in upstream/ are rooms of their own: these are for every protocol, `upstream/plans.ts` has them all. */
const FOR_PROTOCOLS = ["planner", "own-parameters", "interface-parameter", "shown-url"].map((f) => `upstream/${f}.ts`);
const UPSTREAM = [...PLAYLIST, "upstream/rtp", ...FOR_PROTOCOLS];
const PLANS = [...FOR_PROTOCOLS, "upstream/plans.ts"];
const WIRING = [...PLAYLIST, "upstream/*", "routes", "config", "worker", "supervisor", "cli", "demo"];

/** Room → the rooms it may import. Every room may import itself; `upstream/*` stands for every directory of upstream. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  system: FORMATS,
  relay: SYSTEM,
  http: SYSTEM,
  config: SYSTEM,
  status: HEART,
  timeshift: STATUS,
  playlist: TIMESHIFT,
  ...Object.fromEntries(FOR_PROTOCOLS.map((file) => [file, PLAYLIST])),
  "upstream/*": UPSTREAM,
  "upstream/fcc": [...UPSTREAM, "upstream/multicast"],
  "upstream/plans.ts": [...UPSTREAM, "upstream/*"],
  routes: [...PLAYLIST, "upstream/*", ...PLANS, "web"],
  web: [...FORMATS, "timeshift"],
  demo: [...SYSTEM, "timeshift", "config", "cli", "worker"],
  worker: [...WIRING, ...PLANS],
  supervisor: WIRING,
  cli: WIRING,
  "main.ts": WIRING,
};

/** wire/ holds formats only: no sockets, no timers, no clock. */
const IMPURE =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|performance\.now|Bun\.(listen|connect|udpSocket|file|spawn)|fetch\()|["'](bun:ffi|node:(net|dgram|tls|http|https|fs|timers|child_process)(\/promises)?)["']/;

/** The room of a path below src/: `upstream/rtp` for upstream/rtp/unwrap.ts, a file's own path in upstream/ and in src/. */
function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "upstream" ? `upstream/${second}` : first;
}

/** Whether `upstream/*` stands for the room. */
function isProtocol(room: string): boolean {
  return room.startsWith("upstream/") && !room.endsWith(".ts");
}

function listed(rooms: readonly string[], room: string): boolean {
  return rooms.includes(room) || (isProtocol(room) && rooms.includes("upstream/*"));
}

/** Says why `from` may not import `to`, or returns undefined. */
function forbidden(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const allowed = MAY_IMPORT[from] ?? (isProtocol(from) ? MAY_IMPORT["upstream/*"] : undefined);
  if (allowed === undefined) return `${from} is no room of the table in test/architecture.test.ts`;
  return listed(allowed, to) ? undefined : `${from} may import only: ${allowed.join(", ") || "itself"}`;
}

/** Every module specifier: static, dynamic and type-only imports, re-exports, and files named with `new URL`. */
function specifiersOf(code: string): string[] {
  const patterns = [
    /\b(?:from|import)\s*\(?\s*(["'`])([^"'`\n]+)\1/g,
    /\bnew URL\(\s*(["'`])([^"'`\n]+)\1, import\.meta/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2]!));
}

function importProblem(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = resolve(SRC, dirname(path), specifier);
  if (!/\.\w+$/.test(specifier)) return "no file extension";
  if (target === join(ROOT, "package.json")) return undefined;
  const inside = relative(SRC, target);
  if (inside.startsWith("..")) return "leads out of src/";
  return forbidden(roomOf(path), roomOf(inside));
}

/** Everything that is wrong with the source `text` at `path` below src/, one line each. */
function problemsOf(path: string, text: string): string[] {
  const problems: string[] = [];
  const report = (what: string) => problems.push(`src/${path}: ${what}`);
  const code = text.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
  for (const specifier of specifiersOf(code)) {
    const why = importProblem(path, specifier);
    if (why !== undefined) report(`imports "${specifier}": ${why}`);
  }
  if (/^export\s+default\b|^export\s*\{[^}]*\bas\s+default\b/m.test(text)) report("has a default export");
  if (/^export\s+(type\s+)?(\*|\{[^}]*\})[^;"']*\bfrom\b/m.test(text)) report("re-exports from another file");
  const opening = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]?.replace(/^\s*\*/gm, "") ?? "";
  if (!/^\s*\S[\s\S]*?[.:](\s|$)/.test(opening)) report("does not begin with a doc comment that says its subject");
  if (roomOf(path) === "wire" && IMPURE.test(code)) report(`is no pure format: it uses ${IMPURE.exec(code)?.[0]}`);
  return problems;
}

const sources = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(SRC)].sort();

describe("the sources", () => {
  test("keep to the plan", () => {
    expect(sources).not.toBeEmpty();
    expect(sources.flatMap((path) => problemsOf(path, readFileSync(join(SRC, path), "utf8")))).toEqual([]);
  });

  test("explain each room of upstream/ in a README.md", () => {
    const rooms = readdirSync(join(SRC, "upstream"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const silent = rooms.filter((room) => !existsSync(join(SRC, "upstream", room.name, "README.md")));
    expect(silent.map((room) => `src/upstream/${room.name} has no README.md`)).toEqual([]);
  });
});

describe("the check finds", () => {
  const doc = "/** A subject. */\n";
  const clean: [path: string, text: string][] = [
    ["wire/rtp.ts", `${doc}import { a } from "./ts.ts";`],
    ["http/head.ts", `${doc}import type { Log } from "../system/log.ts";\nimport { x } from "node:path";`],
    ["upstream/fcc/session.ts", `${doc}import { a } from "../multicast/a.ts";\nimport { b } from "../rtp/b.ts";`],
    ["upstream/rtsp/a.ts", `${doc}import { a } from "../planner.ts";\nimport { b } from "../shown-url.ts";`],
    ["upstream/planner.ts", `${doc}import { a } from "../playlist/a.ts";`],
    ["upstream/plans.ts", `${doc}import { a } from "./http/a.ts";\nimport { b } from "./planner.ts";`],
    ["worker/a.ts", `${doc}import { a } from "../upstream/plans.ts";`],
    ["routes/media.ts", `${doc}import { a } from "../upstream/rtsp/a.ts";\nimport page from "../web/status.html";`],
    ["worker/worker.ts", `${doc}import { a } from "../config/a.ts";\nimport { b } from "../routes/b.ts";`],
    ["cli/help.ts", `${doc}import { version } from "../../package.json";`],
    ["demo/demo.ts", `${doc}import { a } from "../cli/a.ts";\nimport clip from "./clip.ts" with { type: "file" };`],
    ["main.ts", `#!/usr/bin/env bun\n${doc}const a = await import("./cli/a.ts");`],
    [
      "relay/ring.ts",
      `/**\n * A byte ring.\n */\n// import { no } from "../http/no.ts";\nexport const text = "made from bytes";`,
    ],
  ];
  const broken: [path: string, text: string, problem: string][] = [
    ["wire/rtp.ts", `${doc}import { a } from "../system/a.ts";`, "wire may import only: itself"],
    ["wire/rtp.ts", `${doc}const now = Date.now();`, "no pure format: it uses Date.now"],
    ["wire/rtp.ts", `${doc}import { Socket } from "node:net";`, "no pure format"],
    ["relay/hub.ts", `${doc}import {\n  a,\n  b,\n} from "../http/a.ts";`, "relay may import only: wire, system"],
    ["http/a.ts", `${doc}import type { A } from "../relay/a.ts";`, "http may import only"],
    ["http/a.ts", `${doc}const a = await import("../routes/a.ts");`, "http may import only"],
    ["http/a.ts", `${doc}export type A = import("../status/a.ts").A;`, "http may import only"],
    ["system/a.ts", `${doc}new Worker(new URL("../worker/a.ts", import.meta.url));`, "system may import only"],
    ["upstream/rtsp/a.ts", `${doc}import { a } from "../http/a.ts";`, "upstream/rtsp may import only"],
    ["upstream/multicast/a.ts", `${doc}import { a } from "../fcc/a.ts";`, "upstream/multicast may import only"],
    ["upstream/http/a.ts", `${doc}import { a } from "../../routes/a.ts";`, "upstream/http may import only"],
    ["upstream/http/a.ts", `${doc}import { a } from "../plans.ts";`, "upstream/http may import only"],
    ["upstream/planner.ts", `${doc}import { a } from "./rtp/a.ts";`, "upstream/planner.ts may import only"],
    ["upstream/planner.ts", `${doc}import { a } from "./shown-url.ts";`, "upstream/planner.ts may import only"],
    ["upstream/plans.ts", `${doc}import { a } from "../routes/a.ts";`, "upstream/plans.ts may import only"],
    ["upstream/a.ts", `${doc}import { a } from "../wire/a.ts";`, "upstream/a.ts is no room"],
    ["supervisor/a.ts", `${doc}import { a } from "../upstream/plans.ts";`, "supervisor may import only"],
    ["playlist/a.ts", `${doc}import { a } from "../upstream/shown-url.ts";`, "playlist may import only"],
    ["status/a.ts", `${doc}import { a } from "../playlist/a.ts";`, "status may import only"],
    ["routes/a.ts", `${doc}import { a } from "../config/a.ts";`, "routes may import only"],
    ["worker/a.ts", `${doc}import { a } from "../web/a.ts";`, "worker may import only"],
    ["demo/a.ts", `${doc}import { a } from "../routes/a.ts";`, "demo may import only"],
    ["misc/a.ts", `${doc}import { a } from "../wire/a.ts";`, "misc is no room"],
    ["cli/a.ts", `${doc}import { a } from "../../test/a.ts";`, "leads out of src/"],
    ["cli/a.ts", `${doc}import { a } from "./b";`, "no file extension"],
    ["cli/a.ts", `${doc}export default 1;`, "default export"],
    ["cli/a.ts", `${doc}const a = 1;\nexport { a as default };`, "default export"],
    ["cli/a.ts", `${doc}export * from "./b.ts";`, "re-exports"],
    ["cli/a.ts", `${doc}export type { B } from "./b.ts";`, "re-exports"],
    ["cli/a.ts", "export const a = 1;", "doc comment"],
    ["cli/a.ts", "/** */\nexport const a = 1;", "doc comment"],
  ];

  test.each(clean)("nothing in %s: %j", (path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });

  test.each(broken)("in %s: %j", (path, text, problem) => {
    expect(problemsOf(path, text)).toEqual([expect.stringContaining(problem)]);
  });
});
