/** SIGHUP uses what the config file says now, or changes nothing at all, and no stream notices (config.md section 8). */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const RELOADS = 200;
const STREAMS = 8;
/** What the collector may have left for later in three processes. */
const MEMORY_NOISE_BYTES = 8_000_000;
const WAIT_MS = 20_000;
/** Less than the 5 s after which workers that hang are killed. */
const STOP_MS = 4500;
const MANY_RELOADS_TEST_MS = 120_000;

const RELOADED = /^\[Supervisor\] Configuration reloaded successfully from /;
const FORWARDED = /^\[Supervisor\] Forwarding config reload, sending SIGHUP to tracked workers$/;
const MOVED = /^\[Supervisor\] Bind addresses changed, sending SIGTERM to tracked workers$/;
const KEPT = /^\[Supervisor\] Configuration reload failed, keeping existing workers and listeners$/;
const REFUSED = /^\[Supervisor\] Configuration reload failed, not forwarding SIGHUP to workers$/;
const READY = /Server initialization complete/;

let directory = "";
let configFile = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-reload-"));
  configFile = at("sluice.conf");
});
afterEach(() => rmSync(directory, { recursive: true }));

function at(name: string): string {
  return join(directory, name);
}

/** Writes the config file. */
function configure(bind: readonly (number | string)[], global: Readonly<Record<string, number | string>> = {}): void {
  const values = Object.entries({ verbosity: 3, "upstream-interface": "lo", ...global });
  const addresses = bind.map((address) => (typeof address === "number" ? `127.0.0.1 ${address}` : address));
  const lines = ["[global]", ...values.map(([key, value]) => `${key} = ${value}`), "[bind]", ...addresses];
  writeFileSync(configFile, `${lines.join("\n")}\n`);
}

/** Waits for the outcome's log line; returns where the log of this reload begins. */
async function reload(sluice: Sluice, outcome: RegExp): Promise<number> {
  const since = sluice.log.length;
  process.kill(sluice.pid, "SIGHUP");
  await sluice.waitForLog(outcome, { since });
  return since;
}

async function isRefused(port: number): Promise<boolean> {
  return HttpClient.connect({ port }).then(
    (client) => {
      client.destroy();
      return false;
    },
    () => true,
  );
}

/** Opens a stream as soon as the news of a reload has reached the worker. */
async function openSoon(sluice: Sluice, channel: Channel): Promise<Viewer> {
  let viewer: Viewer | undefined;
  const isAdmitted = async () => {
    viewer = await Viewer.open(sluice, channel).catch(() => undefined);
    return viewer !== undefined;
  };
  await until(isAdmitted, WAIT_MS, "a place for one more client");
  return viewer!;
}

forEachVariant("a reload", (start) => {
  test(
    "may be repeated 200 times under load",
    async () => {
      const port = await freeTcpPort();
      configure([port], { workers: 2, maxclients: 100 });
      await using sluice = await start({ configFile, port, workers: 2 });
      using resources = new DisposableStack();
      const channel = resources.use(await Channel.sending());
      const viewers: Viewer[] = [];
      for (let i = 0; i < STREAMS; i++) viewers.push(resources.use(await Viewer.open(sluice, channel)));
      const { workers } = sluice;
      const fds = await sluice.fds();
      let warm = 0;
      for (let i = 1; i <= RELOADS; i++) {
        configure([port], { workers: 2, maxclients: 100 + (i % 2) });
        await reload(sluice, FORWARDED);
        if (i <= RELOADS / 2 && i % 10 === 0) warm = Math.max(warm, await sluice.anonymous());
      }
      await Promise.all(viewers.map((viewer) => viewer.more(200)));
      await until(async () => (await sluice.fds()) === fds, WAIT_MS, `${fds} descriptors`);
      const isSteady = async () => (await sluice.anonymous()) - warm < MEMORY_NOISE_BYTES;
      await until(isSteady, WAIT_MS, "no more memory than in the first half of the reloads");
      channel.sender.pause();
      await Promise.all(viewers.map((viewer) => viewer.catchUp(channel)));
      for (const { verifier } of viewers) expect(verifier.counts).toMatchObject(CLEAN);
      expect(sluice.workers).toEqual(workers);
    },
    MANY_RELOADS_TEST_MS,
  );

  test("of a file that cannot be read, or used, changes nothing", async () => {
    const port = await freeTcpPort();
    const here = { maxclients: 1, "pid-file": at("pid"), workers: 2 };
    configure([port, at("socket")], here);
    await using sluice = await start({ configFile, port, workers: 2 });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    const { workers } = sluice;
    const inodes = [statSync(at("pid")).ino, statSync(at("socket")).ino];

    rmSync(configFile);
    for (const prepare of [() => {}, () => mkdirSync(configFile)]) {
      prepare();
      const since = await reload(sluice, REFUSED);
      expect(sluice.log.slice(since).join("\n")).toContain(`Failed to parse config file during reload: ${configFile}`);
    }
    rmSync(configFile, { recursive: true });
    writeFileSync(at("file"), "no socket");
    for (const impossible of ["192.0.2.77 8080", at("file")]) {
      configure([impossible], { maxclients: 9, "pid-file": at("other"), workers: 3 });
      await reload(sluice, KEPT);
      expect(existsSync(at("other"))).toBe(false);
    }
    const moved = await freeTcpPort();
    configure([moved, at("socket"), at("second"), at("file")], { ...here, maxclients: 9 });
    await reload(sluice, KEPT);
    expect(existsSync(at("second"))).toBe(false);
    expect(await isRefused(moved)).toBe(true);
    configure([port], { ...here, "pid-file": at("missing/pid") });
    await reload(sluice, /^\[Supervisor\] Failed to prepare PID file after configuration reload$/);

    expect([statSync(at("pid")).ino, statSync(at("socket")).ino]).toEqual(inodes);
    expect(readFileSync(at("pid"), "utf8")).toBe(`${sluice.pid}\n`);
    using client = await HttpClient.connect({ unix: at("socket") });
    client.request("GET", "/");
    expect((await client.head()).status).toBe(200);
    await expect(Viewer.open(sluice, channel)).rejects.toThrow("503");
    await viewer.more(20);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(sluice.workers).toEqual(workers);
  });

  test("of a file that cannot be meant opens nothing", async () => {
    const port = await freeTcpPort();
    configure([port], { "r2h-token": "secret" });
    await using sluice = await start({ configFile, port });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel, { target: `${channel.path}?r2h-token=secret` });
    const sound = readFileSync(configFile);
    const bad = [
      "",
      sound.subarray(0, sound.indexOf("r2h-token")),
      sound.toString().replace("r2h-token = secret\n", ""),
      Buffer.from(`\ufeff${sound}`, "utf16le"),
      Buffer.alloc(sound.length),
    ];
    for (const content of bad) {
      writeFileSync(configFile, content);
      await reload(sluice, REFUSED);
      expect((await answerTo(sluice, "/status")).head.status).toBe(401);
    }
    rmSync(configFile);
    Bun.spawnSync(["mkfifo", configFile]);
    await reload(sluice, REFUSED);
    rmSync(configFile);
    configure([port], { "r2h-token": "" });
    await reload(sluice, FORWARDED);
    const isOpen = async () => (await answerTo(sluice, "/status")).head.status === 200;
    await until(isOpen, WAIT_MS, "what the file says in so many words");
    await viewer.more(20);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
  });

  test("moves the listeners, but not for another order of the same addresses", async () => {
    const [one, two, three] = [await freeTcpPort(), await freeTcpPort(), await freeTcpPort()];
    configure([one, two]);
    await using sluice = await start({ configFile, port: one });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    const [first] = sluice.workers;
    configure([two, one]);
    await reload(sluice, FORWARDED);
    await viewer.more(100);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(sluice.workers).toEqual([first!]);

    configure([two, three]);
    const since = await reload(sluice, MOVED);
    // The old worker has it until its end.
    await until(() => isRefused(one), WAIT_MS, "the old listener to be closed");
    for (const port of [two, three]) expect((await answerTo({ port }, "/")).head.status).toBe(200);
    await sluice.waitForLog(READY, { since });
    expect(sluice.workers[0]).not.toBe(first);
    expect(viewer.client.state).not.toBe("open");
    using again = await Viewer.open({ port: three }, channel);
    await again.more(20);
  });

  test("changes the number of workers", async () => {
    const port = await freeTcpPort();
    const use = (workers: number) => configure([port], { workers, maxclients: 30 });
    use(1);
    await using sluice = await start({ configFile, port });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    const [first] = sluice.workers;
    const fds = await sluice.fds();

    use(3);
    const since = await reload(sluice, FORWARDED);
    for (const id of [1, 2])
      await sluice.waitForLog(new RegExp(`^\\[Worker ${id}\\] Server initialization`), { since });
    expect(await sluice.pids()).toHaveLength(4);
    for (let i = 0; i < 60; i++) expect((await answerTo(sluice, "/")).head.status).toBe(200);
    const served = new Set(sluice.log.map((line) => /^\[Worker (\d)\] New client/.exec(line)?.[1]));
    expect([...served].filter(Boolean).sort()).toEqual(["0", "1", "2"]);

    // A worker that is wanted again while it is still going must not be there twice.
    for (const workers of [1, 3, 1, 3]) {
      use(workers);
      await reload(sluice, FORWARDED);
    }
    await until(async () => (await sluice.pids()).length === 4, WAIT_MS, "three workers");
    await until(() => sluice.workers.every((pid) => existsSync(`/proc/${pid}`)), WAIT_MS, "three living workers");
    use(1);
    await reload(sluice, /^\[Supervisor\] Reducing worker count from 3 to 1$/);
    await until(async () => (await sluice.pids()).length === 2, WAIT_MS, "one worker");
    await until(async () => (await sluice.fds()) === fds, WAIT_MS, `${fds} descriptors`);
    for (let i = 0; i < 20; i++) expect((await answerTo(sluice, "/")).head.status).toBe(200);
    expect(sluice.workers[0]).toBe(first!);
    await viewer.more(20);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
  });

  test("that starts workers does not outlive a stop", async () => {
    const port = await freeTcpPort();
    configure([port]);
    await using sluice = await start({ configFile, port });
    configure([port, await freeTcpPort()], { workers: 3 });
    process.kill(sluice.pid, "SIGHUP");
    await sluice.waitForLog(/Received SIGHUP/);
    process.kill(sluice.pid, "SIGTERM");
    expect(await sluice.waitForExit(STOP_MS)).toBe(0);
    expect(sluice.log.at(-1)).toBe("[Supervisor] All workers stopped, cleaning up");
  });

  test("applies the client limit to new requests, and the verbosity to all processes", async () => {
    const port = await freeTcpPort();
    configure([port], { maxclients: 1 });
    await using sluice = await start({ configFile, port });
    using channel = await Channel.sending();
    using other = await Channel.sending();
    using one = await Viewer.open(sluice, channel);
    await expect(Viewer.open(sluice, other)).rejects.toThrow("503");
    configure([port], { maxclients: 2 });
    await reload(sluice, FORWARDED);
    using two = await openSoon(sluice, other);
    configure([port], { maxclients: 1, verbosity: 1 });
    await reload(sluice, RELOADED);
    await Promise.all([one, two].map((viewer) => viewer.more(50)));
    two.client.destroy();
    await other.untilLeft();
    await expect(Viewer.open(sluice, other)).rejects.toThrow("503");
    await one.more(50);

    // Silence can only be told from slowness by a worker that speaks again.
    const quiet = sluice.log.length;
    await answerTo(sluice, "/quiet");
    configure([port], { maxclients: 1, verbosity: 3 });
    await reload(sluice, FORWARDED);
    const isLoud = async () => {
      await answerTo(sluice, "/loud");
      return sluice.log.slice(quiet).some((line) => /New client .* requested URL: \/loud /.test(line));
    };
    await until(isLoud, WAIT_MS, "the worker to log requests");
    expect(sluice.log.filter((line) => line.includes("/quiet"))).toEqual([]);
  });
});
