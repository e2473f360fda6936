/** The harness itself, on a small program that behaves and misbehaves like the real one. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "./binary.ts";
import { type SluiceOptions, startSluice, stopAll } from "./harness.ts";
import { groupMembers } from "./processes.ts";

const BUILD_TIMEOUT_MS = 120_000;
/** The harness waits 10 s for an end and 5 s for what is left before it kills, and the machine may be busy. */
const TEST_TIMEOUT_MS = 60_000;

setDefaultTimeout(TEST_TIMEOUT_MS);

/** Logs its arguments, becomes ready on its port, then does what the arguments say. */
const PROGRAM = `
const args = process.argv.slice(2);
console.log("args", args.join(" "));
if (args.includes("fail-early")) { console.error("no luck"); process.exit(3); }
process.on("SIGTERM", () => {
  if (args.includes("stubborn")) return;
  console.log("bye");
  process.exit(args.includes("sulk") ? 5 : 0);
});
const workers = args.includes("-w") ? Number(args[args.indexOf("-w") + 1]) : 1;
const port = Number(args[args.indexOf("-l") + 1].split(":")[1]);
Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response("ok") });
if (args.includes("leave-child")) Bun.spawn(["sleep", "600"], { stdio: ["ignore", "ignore", "ignore"] });
for (let i = 0; i < workers; i++) console.log(\`[Worker \${i}] Server initialization complete, ready\`);
if (args.includes("crash")) setTimeout(() => { console.log("last words"); process.exit(4); }, 50);
`;

let directory: string;
let entry: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-harness-"));
  entry = join(directory, "main.ts");
  await writeFile(entry, PROGRAM);
});
afterAll(() => rm(directory, { recursive: true }));

const start = (options: SluiceOptions = {}) => startSluice({ entry, ...options });

describe.each(["source", "binary"] as const)("a program run as %s", (variant) => {
  test(
    "serves, tells about itself and stops",
    async () => {
      const sluice = await start({ variant, args: ["-m", "9"], workers: 2 });
      expect(await (await fetch(sluice.url)).text()).toBe("ok");
      expect(sluice.log[0]).toBe(`args -C -v 4 -l 127.0.0.1:${sluice.port} -w 2 -m 9`);
      expect(await sluice.pids()).toEqual([sluice.pid]);
      // Its share: what it shares with the tests counts in part.
      expect(await sluice.rss()).toBeGreaterThan(1_000_000);
      expect(await sluice.fds()).toBeGreaterThan(3);
      await sluice.stop();
      expect(sluice.log.at(-1)).toBe("bye");
      expect(await sluice.pids()).toEqual([]);
    },
    BUILD_TIMEOUT_MS,
  );
});

test(
  "an executable is built once for the same sources",
  async () => {
    const binary = await builtBinary(entry);
    const before = await Bun.file(binary).stat();
    expect(await builtBinary(entry)).toBe(binary);
    expect((await Bun.file(binary).stat()).ino).toBe(before.ino);
    const names = await readdir(join(binary, ".."));
    expect(names.filter((name) => name.startsWith("building-"))).toEqual([]);
  },
  BUILD_TIMEOUT_MS,
);

test("a program that fails at start is reported with its log", async () => {
  await expect(start({ args: ["fail-early"] })).rejects.toThrow(/exited \(3\) before the log line[\s\S]*no luck/);
});

test("waiting for a log line ends with the line, the limit or the program", async () => {
  const sluice = await start({ args: ["crash"] });
  const since = sluice.log.length;
  expect((await sluice.waitForLog(/args .* (-l) /))[1]).toBe("-l");
  await expect(sluice.waitForLog(/args/, { since, ms: 10 })).rejects.toThrow("timed out after 10 ms");
  await expect(sluice.waitForLog(/never/)).rejects.toThrow(/exited \(4\) before .*never[\s\S]*last words/);
  await expect(sluice.stop()).rejects.toThrow("had exited by itself (4)");
});

test("an exit that the test waits for is no failure", async () => {
  const sluice = await start({ args: ["crash"] });
  expect(await sluice.waitForExit()).toBe(4);
  await sluice.stop();
  const killed = await start();
  process.kill(killed.pid, "SIGKILL");
  expect(await killed.waitForExit()).toBe("SIGKILL");
});

test("a process that outlives the program is a failure, and is killed", async () => {
  const sluice = await start({ args: ["leave-child"] });
  expect(await sluice.pids()).toHaveLength(2);
  await expect(sluice.stop()).rejects.toThrow(/left processes behind: \d+/);
  await expect(groupMembers(sluice.pid)).resolves.toEqual([]);
});

test("a program that ignores SIGTERM is a failure, and is killed", async () => {
  const sluice = await start({ args: ["stubborn"] });
  await expect(sluice.stop()).rejects.toThrow("timed out after 10000 ms waiting for the program to exit");
  await expect(groupMembers(sluice.pid)).resolves.toEqual([]);
});

test("a program that does not end with status 0 after SIGTERM is a failure", async () => {
  const sluice = await start({ args: ["sulk"] });
  await expect(sluice.stop()).rejects.toThrow("stopped with 5 instead of 0");
});

test("stopAll stops what tests have forgotten", async () => {
  const forgotten = [await start(), await start()];
  await stopAll();
  for (const sluice of forgotten) expect(await sluice.pids()).toEqual([]);
});
