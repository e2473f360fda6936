/** Reads the imports and first lines of all sources, so that the plan of the house (src/README.md) cannot drift. */

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { codeOf, cyclesOf, importsOf, type Sources, unusedExports } from "./source-graph.ts";

const ROOT = join(import.meta.dir, "..");
const SRC = join(ROOT, "src");

const FORMATS = ["wire"];
const SYSTEM = [...FORMATS, "system"];
const HEART = [...SYSTEM, "relay", "http"];
/** What an upstream and an output may use. */
const MEDIA = [...HEART, "status", "timeshift", "playlist"];
/** Files directly in upstream/ are rooms of their own: these are for every protocol, `upstream/plans.ts` has them all. */
const FOR_PROTOCOLS = ["planner", "own-parameters", "interface-parameter", "shown-url", "read-backoff"].map(
  (name) => `upstream/${name}.ts`,
);
const UPSTREAM = [...MEDIA, "upstream/rtp", ...FOR_PROTOCOLS];
const SERVING = [...MEDIA, "upstream/*", ...FOR_PROTOCOLS, "upstream/plans.ts", "outputs/*"];
const WORKER = [...SERVING, "routes", "config"];

/** Room → the rooms it may import. Every room may import itself; `upstream/*` stands for every directory of upstream. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  system: FORMATS,
  relay: SYSTEM,
  http: SYSTEM,
  status: HEART,
  timeshift: FORMATS,
  playlist: [...HEART, "status", "timeshift"],
  ...Object.fromEntries(FOR_PROTOCOLS.map((file) => [file, MEDIA])),
  "upstream/*": UPSTREAM,
  "upstream/fcc": [...UPSTREAM, "upstream/multicast"],
  "upstream/plans.ts": [...UPSTREAM, "upstream/*"],
  "outputs/*": MEDIA,
  routes: [...SERVING, "web"],
  web: [...FORMATS, "timeshift"],
  config: SYSTEM,
  worker: WORKER,
  supervisor: [...MEDIA, "config", "worker"],
  probe: [...SERVING, "config", "worker"],
  cli: [...SYSTEM, "config", "supervisor", "probe"],
  demo: [...SYSTEM, "timeshift", "config", "supervisor"],
  "main.ts": ["cli", "demo", "probe", "supervisor", "worker"],
};

/** Exports that no other source uses, and why they stay. */
const EXPORTS_FOR_OTHERS: Readonly<Record<string, string>> = {
  "src/system/socket.ts#getOption": "the counterpart of setOption: nothing else shows what the kernel has made of it",
  "src/upstream/plans.ts#PROTOCOLS":
    "the one table of protocols: a test adds a row, to show that nothing else is needed",
  "src/wire/fec/smpte-2022-1.ts#emitXorParity": "the counterpart of the parser, for whoever sends a channel with FEC",
  ...Object.fromEntries(
    ["parseHuaweiRequest", "emitHuaweiResponse", "parseHuaweiPunch", "emitHuaweiNotice", "parseHuaweiTermination"].map(
      (name) => [`src/wire/fcc/huawei.ts#${name}`, "the server's side of the dialect: what one emits the other parses"],
    ),
  ),
};

/** wire/ holds formats only: no sockets, no timers, no clock. */
const IMPURE =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|performance\.now|Bun\.(listen|connect|udpSocket|file|spawn)|fetch\()|["'](bun:ffi|node:(net|dgram|tls|http|https|fs|timers|child_process)(\/promises)?)["']/;

/** Each of their directories is a room. */
const SUBDIVIDED = ["upstream", "outputs"];

/** The room of a path below src/: `upstream/rtp` for upstream/rtp/unwrap.ts, a file's own path in upstream/ and in src/. */
function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return SUBDIVIDED.includes(first) ? `${first}/${second}` : first;
}

/** `upstream/*` for a directory of upstream/, `outputs/*` for one of outputs/. */
function groupOf(room: string): string | undefined {
  const [first = "", second] = room.split("/");
  return second === undefined || room.endsWith(".ts") ? undefined : `${first}/*`;
}

/** Says why `from` may not import `to`, or returns undefined. */
function forbidden(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const allowed = MAY_IMPORT[from] ?? MAY_IMPORT[groupOf(from) ?? ""];
  if (allowed === undefined) return `${from} is no room of the table in test/architecture.test.ts`;
  if (allowed.includes(to) || allowed.includes(groupOf(to) ?? "")) return undefined;
  return `${from} may import only: ${allowed.join(", ") || "itself"}`;
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
  for (const specifier of new Set(importsOf(text).map((found) => found.specifier))) {
    const why = importProblem(path, specifier);
    if (why !== undefined) report(`imports "${specifier}": ${why}`);
  }
  if (/^export\s+default\b|^export\s*\{[^}]*\bas\s+default\b/m.test(text)) report("has a default export");
  if (/^export\s+(type\s+)?(\*|\{[^}]*\})[^;"']*\bfrom\b/m.test(text)) report("re-exports from another file");
  const opening = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]?.replace(/^\s*\*/gm, "") ?? "";
  if (!/^\s*\S[\s\S]*?[.:](\s|$)/.test(opening)) report("does not begin with a doc comment that says its subject");
  const impurity = roomOf(path) === "wire" ? IMPURE.exec(codeOf(text)) : null;
  if (impurity) report(`is no pure format: it uses ${impurity[0]}`);
  return problems;
}

function read(pattern: string): Sources {
  const paths = [...new Bun.Glob(pattern).scanSync(ROOT)].sort();
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}

const sources = read("src/**/*.{ts,tsx}");

describe("the sources", () => {
  test("keep to the plan", () => {
    expect(sources.size).toBeGreaterThan(0);
    expect([...sources].flatMap(([path, text]) => problemsOf(relative("src", path), text))).toEqual([]);
  });

  test("import each other in no cycle", () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  test("export what another source uses", () => {
    const unused = unusedExports(sources, read("build.ts"), read("test/**/*.{ts,tsx}"));
    expect(unused.filter((name) => EXPORTS_FOR_OTHERS[name] === undefined)).toEqual([]);
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
    ["outputs/hls/a.ts", `${doc}import { a } from "../../relay/a.ts";\nimport { b } from "../../timeshift/b.ts";`],
    ["supervisor/a.ts", `${doc}import { a } from "../worker/a.ts";\nimport { b } from "../config/b.ts";`],
    ["worker/worker.ts", `${doc}import { a } from "../config/a.ts";\nimport { b } from "../routes/b.ts";`],
    ["cli/help.ts", `${doc}import { version } from "../../package.json";`],
    [
      "demo/demo.ts",
      `${doc}import { a } from "../supervisor/a.ts";\nimport clip from "./clip.ts" with { type: "file" };`,
    ],
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
    ["supervisor/a.ts", `${doc}import { a } from "../routes/a.ts";`, "supervisor may import only"],
    ["supervisor/a.ts", `${doc}import { a } from "../cli/a.ts";`, "supervisor may import only"],
    ["worker/a.ts", `${doc}import { a } from "../supervisor/a.ts";`, "worker may import only"],
    ["worker/a.ts", `${doc}import { a } from "../cli/a.ts";`, "worker may import only"],
    ["config/a.ts", `${doc}import { a } from "../relay/a.ts";`, "config may import only"],
    ["cli/a.ts", `${doc}import { a } from "../demo/a.ts";`, "cli may import only"],
    ["demo/a.ts", `${doc}import { a } from "../cli/a.ts";`, "demo may import only"],
    ["timeshift/a.ts", `${doc}import { a } from "../system/a.ts";`, "timeshift may import only: wire"],
    ["outputs/hls/a.ts", `${doc}import { a } from "../record/a.ts";`, "outputs/hls may import only"],
    ["outputs/hls/a.ts", `${doc}import { a } from "../../upstream/http/a.ts";`, "outputs/hls may import only"],
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
