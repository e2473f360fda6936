/** Started as root, it runs as another user and can do all that it could (config.md section 9). */

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "../fakes/http-client.ts";
import { describeInNamespace, IgmpCapture } from "../fakes/namespace.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { until } from "../fakes/until.ts";
import { builtBinary } from "./binary.ts";
import { answerTo, Channel, CLEAN, Viewer } from "./channel.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const LOOPBACK_INDEX = 1;
const USER = "nobody";
const WAIT_MS = 30_000;
const TEST_MS = 180_000;
const CAP_NET_BIND_SERVICE = 0x400;
const CAP_NET_RAW = 0x2000;

let directory = "";
let program = "";
let child: Bun.Subprocess<"ignore", "pipe", "inherit"> | undefined;
let log = "";

function configure(global: Readonly<Record<string, string | number>>, ...bind: string[]): void {
  const values = Object.entries({ verbosity: 4, "upstream-interface": "lo", maxclients: 50, ...global });
  const lines = ["[global]", ...values.map(([key, value]) => `${key} = ${value}`), "[bind]", ...bind];
  writeFileSync(join(directory, "sluice.conf"), `${lines.join("\n")}\n`, { mode: 0o644 });
}

async function start(): Promise<number> {
  log = "";
  child = Bun.spawn([program, "-c", join(directory, "sluice.conf")], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: directory,
  });
  const { stdout } = child;
  void (async () => {
    for await (const chunk of stdout) log += Buffer.from(chunk).toString();
  })();
  return child.pid;
}

const untilLog = (pattern: RegExp) => until(() => pattern.test(log), WAIT_MS, `the log line ${pattern} in:\n${log}`);

/** Some lines of proc_pid_status(5), of all threads; each value once. */
function statusOf(pid: number, field: string): string[] {
  const values = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    return new RegExp(`^${field}:\\s+(\\S+)`, "m").exec(text)?.[1] ?? "";
  });
  return [...new Set(values)];
}

/** The last process of each worker. */
function workers(): number[] {
  const pids: number[] = [];
  for (const [, id, pid] of log.matchAll(/Spawned worker (\d) with pid (\d+)/g)) pids[Number(id)] = Number(pid);
  return pids;
}

const ready = (count: number) =>
  until(() => log.split("Server initialization complete").length > count, WAIT_MS, `${count} workers`);

function define(): void {
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "sluice-user-"));
    chmodSync(directory, 0o755);
    program = join(directory, "sluice");
    copyFileSync(await builtBinary(MAIN), program);
    chmodSync(program, 0o755);
  }, TEST_MS);
  afterEach(async () => {
    child?.kill("SIGTERM");
    await child?.exited;
    rmSync(directory, { recursive: true });
  }, TEST_MS);

  test(
    "with two capabilities left, joins, rejoins, reloads and stops",
    async () => {
      await using lists = new PlaylistServer();
      const list = lists.on("/list", "#EXTM3U\n#EXTINF:-1,One\nrtp://239.0.0.1:5000\n");
      mkdirSync(join(directory, "logs"));
      Bun.spawnSync(["chown", USER, join(directory, "logs")]);
      const settings = {
        user: USER,
        workers: 2,
        "mcast-rejoin-interval": 1,
        "external-m3u": list,
        "access-log": join(directory, "logs/access"),
        "pid-file": join(directory, "pid"),
      };
      configure(settings, "127.0.0.1 80");
      const pid = await start();
      await ready(2);
      const uid = Bun.spawnSync(["id", "-u", USER]).stdout.toString().trim();
      for (const each of [pid, ...workers()]) expect(statusOf(each, "Uid")).toEqual([uid]);
      const kept = (CAP_NET_BIND_SERVICE | CAP_NET_RAW).toString(16).padStart(16, "0");
      for (const each of workers()) {
        expect(statusOf(each, "NoNewPrivs")).toEqual(["1"]);
        for (const set of ["CapEff", "CapPrm", "CapBnd"]) expect(statusOf(each, set)).toEqual([kept]);
      }
      expect(statusOf(pid, "CapEff").toSorted()).toEqual(["0000000000000000", kept].toSorted());

      // Both workers have the list of one: they may look at each other's files.
      const has = async () => (await fetch("http://127.0.0.1/playlist.m3u")).text();
      for (let i = 0; i < 20; i++)
        await until(async () => (await has()).includes("One"), WAIT_MS, "the list, of any worker");
      expect(log).not.toContain("cannot be");

      const capture = new IgmpCapture(LOOPBACK_INDEX);
      using channel = await Channel.sending();
      using viewer = await Viewer.open({ port: 80 }, channel);
      await viewer.more(200);
      // The kernel's own report, and ours.
      await capture.take(3, ({ message }) => [0x22, 0x16].includes(message[0]!));
      capture.close();
      expect(log).not.toContain("operation not permitted");
      expect(statSync(join(directory, "logs/access")).mode & 0o777).toBe(0o600);

      // More workers on the old port, and a new port that only root may have.
      configure({ ...settings, workers: 3 }, "127.0.0.1 80");
      process.kill(pid, "SIGHUP");
      await ready(3);
      expect(log).not.toContain("Cannot bind");
      await viewer.more(200);
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
      configure({ ...settings, workers: 3 }, "127.0.0.1 80", "127.0.0.1 81");
      process.kill(pid, "SIGHUP");
      await ready(6);
      for (const port of [80, 81]) expect((await answerTo({ port }, "/status")).head.status).toBe(200);

      process.kill(pid, "SIGTERM");
      expect(await child?.exited).toBe(0);
      // The directory is root's: no number is left in it that is another's soon.
      expect(readFileSync(join(directory, "pid"), "utf8")).toBe("");
    },
    TEST_MS,
  );

  test(
    "a file that the user cannot read is told at once, and a reload changes nothing",
    async () => {
      configure({ user: USER }, "127.0.0.1 80");
      chmodSync(join(directory, "sluice.conf"), 0o600);
      const pid = await start();
      await untilLog(/nobody will not be able to reload: .*sluice\.conf \(permission denied\)/);
      await ready(1);
      // No raw sockets are wanted.
      for (const each of workers())
        expect(statusOf(each, "CapEff")).toEqual([CAP_NET_BIND_SERVICE.toString(16).padStart(16, "0")]);
      process.kill(pid, "SIGHUP");
      await untilLog(/Configuration reload failed, not forwarding SIGHUP to workers/);
      using client = await HttpClient.connect({ port: 80 });
      client.request("GET", "/status");
      expect((await client.head()).status).toBe(200);
    },
    TEST_MS,
  );

  test.each(["nosuchuser", "nobody:nosuchgroup", "a:b:c"])(
    "%s is refused before anything is opened",
    async (user) => {
      configure({ user, "pid-file": join(directory, "pid") }, "127.0.0.1 80");
      await start();
      expect(await child?.exited).toBe(1);
      await untilLog(/Cannot run as \S+: there is no (user|group) \S+\n/);
      expect(existsSync(join(directory, "pid"))).toBe(false);
    },
    TEST_MS,
  );
}

if (process.getuid?.() === 0 || process.env["CI"] === "true")
  describeInNamespace(import.meta.path, "another user", define, TEST_MS);
else test.skip("another user: only root can become one", () => {});
