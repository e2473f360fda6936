/** What signals do to the program as a whole, and what is left afterwards: nothing (config.md sections 8 and 9). */

import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, forVariant, type Sluice, startSluice } from "./harness.ts";
import { signalGroup } from "./processes.ts";

const CLIENTS = 50;
/** Less than the 5 s after which workers that hang are killed. */
const STOP_MS = 4500;
const ORPHANS_MS = 10_000;
const WAIT_MS = 20_000;
const RESTARTS_WITHIN_MS = 5000;
const RATE_LIMIT_TEST_MS = 60_000;
/** Ten processes are started one after the other. */
const RENEWALS_TEST_MS = 20_000;

function spawns(sluice: Sluice): number {
  return sluice.log.filter((line) => line.includes("Spawned worker")).length;
}

forEachVariant("signals", (start) => {
  test("SIGTERM under 50 clients leaves no process, no socket and no PID file", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-signals-"));
    const files = ["-l", join(directory, "socket"), "--pid-file", join(directory, "pid")];
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", `${CLIENTS}`, ...files], workers: 2 });
    using resources = new DisposableStack();
    const channel = resources.use(await Channel.sending());
    const opening = Array.from({ length: CLIENTS }, () => Viewer.open(sluice, channel));
    const viewers = (await Promise.all(opening)).map((viewer) => resources.use(viewer));
    expect(readdirSync(directory).sort()).toEqual(["pid", "socket"]);
    const { pid, workers } = sluice;

    process.kill(pid, "SIGTERM");
    expect(await sluice.waitForExit(STOP_MS)).toBe(0);
    // Nobody would be left to reap a zombie but us.
    for (const id of [pid, ...workers]) expect(existsSync(`/proc/${id}`)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
    expect(sluice.log.at(-1)).toBe("[Supervisor] All workers stopped, cleaning up");
    await until(() => viewers.every(({ client }) => client.state !== "open"), WAIT_MS, "the end of all connections");
    rmSync(directory, { recursive: true });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s to the whole group, twice, is one orderly stop", async (signal) => {
    await using sluice = await start({ args: ON_LOOPBACK, workers: 2 });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    await viewer.more(20);
    signalGroup(sluice.pid, signal);
    signalGroup(sluice.pid, signal);
    expect(await sluice.waitForExit(STOP_MS)).toBe(0);
    expect(sluice.log.filter((line) => line.includes("Restarting"))).toEqual([]);
    expect(sluice.log.filter((line) => line.includes("All workers stopped"))).toHaveLength(1);
    expect(await sluice.pids()).toEqual([]);
  });

  test("SIGHUP reloads, be it sent to all processes, twice, or to a worker, which ignores it", async () => {
    await using sluice = await start({ args: ON_LOOPBACK, workers: 2 });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    for (const worker of sluice.workers) {
      process.kill(worker, "SIGHUP");
      process.kill(worker, "SIGUSR1");
    }
    await viewer.more(50);
    expect(sluice.log.filter((line) => line.includes("Received"))).toEqual([]);
    signalGroup(sluice.pid, "SIGHUP");
    signalGroup(sluice.pid, "SIGHUP");
    await sluice.waitForLog(
      /^\[Supervisor\] Only reload M3U\/EPG, skipping configuration reload \(config file path not set\)$/,
    );
    await viewer.more(200);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(spawns(sluice)).toBe(2);
    expect(await sluice.pids()).toEqual([sluice.pid, ...sluice.workers].sort((a, b) => a - b));
  });

  test(
    "SIGUSR1 renews the workers, as often as it comes",
    async () => {
      await using sluice = await start({ args: ON_LOOPBACK, workers: 2 });
      using channel = await Channel.sending();
      for (let round = 1; round <= 4; round++) {
        using viewer = await Viewer.open(sluice, channel);
        const old = sluice.workers;
        process.kill(sluice.pid, "SIGUSR1");
        await until(() => viewer.client.state !== "open", WAIT_MS, "the end of the stream");
        await sluice.waitForLog(/Server initialization complete/, { count: 2 * (round + 1) });
        expect(sluice.workers).toHaveLength(2);
        for (const pid of old) expect(sluice.workers).not.toContain(pid);
        expect((await fetch(sluice.url)).status).toBe(200);
      }
      await sluice.waitForLog(/Received SIGUSR1, restarting workers, sending SIGTERM to tracked workers/);
      expect(sluice.log.filter((line) => line.includes("rate limited"))).toEqual([]);
    },
    RENEWALS_TEST_MS,
  );

  test("SIGKILL of the supervisor ends the workers", async () => {
    await using sluice = await start({ args: ON_LOOPBACK, workers: 2 });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    await viewer.more(20);
    process.kill(sluice.pid, "SIGKILL");
    // The harness allows little time for what is left of the group.
    expect(await sluice.waitForExit(ORPHANS_MS)).toBe("SIGKILL");
    expect(await sluice.pids()).toEqual([]);
    await channel.untilLeft();
  });
});

forVariant("binary", "a worker that is killed again and again", () => {
  // Both variants wait for the same seconds.
  test.concurrent.each(["source", "binary"] as const)(
    "is restarted three times in five seconds (%s)",
    async (variant) => {
      await using sluice = await startSluice({ variant, args: ON_LOOPBACK, workers: 2 });
      using channel = await Channel.sending();
      const began = performance.now();
      for (let deaths = 1; deaths <= 4; deaths++) {
        process.kill(sluice.workers[1]!, "SIGKILL");
        await sluice.waitForLog(/^\[Supervisor\] Worker 1 \(pid \d+\) killed by signal 9$/, { count: deaths });
        if (deaths < 4) await sluice.waitForLog(/^\[Worker 1\] Server initialization/, { count: deaths + 1 });
      }
      await sluice.waitForLog(/^\[Supervisor\] Worker 1 restart rate limited \(3 restarts in 5 seconds\)$/);
      expect(spawns(sluice)).toBe(2 + 3);
      await sluice.waitForLog(/^\[Supervisor\] Rate limit expired, restarting worker 1$/, {
        ms: RESTARTS_WITHIN_MS + WAIT_MS,
      });
      expect(performance.now() - began).toBeGreaterThan(RESTARTS_WITHIN_MS);
      await sluice.waitForLog(/^\[Worker 1\] Server initialization/, { count: 5 });
      using viewer = await Viewer.open(sluice, channel);
      await viewer.more(20);
    },
    RATE_LIMIT_TEST_MS,
  );
});
