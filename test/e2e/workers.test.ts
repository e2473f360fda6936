/** Several workers serve as one, and none of them is missed when it dies (config.md section 9). */

import { expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const STREAMS = 20;
const CONNECTIONS_PER_S = 50;
const KNOCKING_MS = 2000;
/** Less than a worker waits that has died too often. */
const NEW_WORKER_MS = 4500;
/** A request that came this long after its worker's death was never in that worker's hands. */
const DEATH_MS = 500;
const WAIT_MS = 20_000;
/** After so long a worker that answers nothing would have been replaced. */
const HANG_MS = 6000;
const HANG_TEST_MS = 60_000;

/** How often each worker has said so. */
function countByWorker(sluice: Sluice, pattern: RegExp): number[] {
  const counts = [0, 0];
  for (const line of sluice.log) {
    const worker = /^\[Worker (\d)\] /.exec(line)?.[1];
    if (worker !== undefined && pattern.test(line)) counts[Number(worker)]!++;
  }
  return counts;
}

async function workerOf(sluice: Sluice, { client }: Viewer): Promise<number> {
  const match = await sluice.waitForLog(
    new RegExp(`^\\[Worker (\\d)\\] New client 127\\.0\\.0\\.1:${client.localPort} `),
  );
  return Number(match[1]);
}

interface Knock {
  readonly at: number;
  readonly outcome: "answered" | "refused" | "cut";
}

async function knock(server: { readonly port: number }): Promise<Knock> {
  const at = performance.now();
  const client = await HttpClient.connect(server).catch(() => undefined);
  if (!client) return { at, outcome: "refused" };
  using _ = client;
  client.request("GET", "/");
  const head = await client.head(WAIT_MS).catch(() => undefined);
  return { at, outcome: head?.status === 200 ? "answered" : "cut" };
}

/** Connects at an even pace, whatever becomes of the connections. */
async function keepKnocking(server: { readonly port: number }): Promise<Knock[]> {
  const knocks: Promise<Knock>[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    knocks.push(knock(server));
    if (knocks.length === (KNOCKING_MS / 1000) * CONNECTIONS_PER_S) resolve();
  }, 1000 / CONNECTIONS_PER_S);
  await promise;
  clearInterval(timer);
  return Promise.all(knocks);
}

forEachVariant("two workers", (start) => {
  test("share 200 connections", async () => {
    await using sluice = await start({ workers: 2 });
    for (let i = 0; i < 200; i++) expect((await knock(sluice)).outcome).toBe("answered");
    await sluice.waitForLog(/New client/, { count: 200 });
    const counts = countByWorker(sluice, /New client/);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(50);
    expect(counts[0]! + counts[1]!).toBe(200);
  });

  test("let in as many of 100 simultaneous clients as the limit says, again and again", async () => {
    const limit = 30;
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", `${limit}`], workers: 2 });
    using channel = await Channel.sending();
    for (let round = 0; round < 3; round++) {
      using resources = new DisposableStack();
      const connecting = Array.from({ length: 100 }, () => HttpClient.connect(sluice));
      const clients = (await Promise.all(connecting)).map((client) => resources.use(client));
      for (const client of clients) client.request("GET", channel.path);
      const heads = await Promise.all(clients.map((client) => client.head()));
      const admitted = clients.filter((_, i) => heads[i]!.status === 200);
      expect(admitted).toHaveLength(limit);
      expect(heads.filter(({ status }) => status === 503)).toHaveLength(100 - limit);
      await Promise.all(admitted.map((client) => client.read(10_000)));
      resources.dispose();
      await channel.untilLeft();
    }
    expect(Math.min(...countByWorker(sluice, /Maximum client limit reached/))).toBeGreaterThan(0);
  });

  test(
    "are replaced when they answer nothing, and those who wait for them are served",
    async () => {
      await using sluice = await start({ workers: 2 });
      const [first, second] = sluice.workers;
      const stoppedAt = performance.now();
      process.kill(second!, "SIGSTOP");
      const knocks = Array.from({ length: 40 }, () => knock(sluice));
      await sluice.waitForLog(
        new RegExp(
          `^\\[Supervisor\\] Worker 1 \\(pid ${second}\\) has answered nothing for \\d\\.\\d seconds, sending SIGKILL$`,
        ),
      );
      // Longer than 5 s only where the machine is too busy to tell.
      expect(performance.now() - stoppedAt).toBeLessThan(WAIT_MS);
      for (const { outcome } of await Promise.all(knocks)) expect(outcome).toBe("answered");
      await sluice.waitForLog(/^\[Worker 1\] Server initialization complete/, { count: 2 });
      expect(sluice.workers[0]).toBe(first!);
      expect(sluice.log.some((line) => line.startsWith("[Worker 1] New client"))).toBe(true);
    },
    HANG_TEST_MS,
  );

  test(
    "are not replaced when all of the program was stopped",
    async () => {
      await using sluice = await start({ workers: 2 });
      const { workers } = sluice;
      process.kill(-sluice.pid, "SIGSTOP");
      await Bun.sleep(HANG_MS);
      process.kill(-sluice.pid, "SIGCONT");
      for (let i = 0; i < 10; i++) expect((await knock(sluice)).outcome).toBe("answered");
      await Bun.sleep(HANG_MS);
      expect(sluice.workers).toEqual(workers);
      expect(sluice.log.filter((line) => line.includes("SIGKILL"))).toEqual([]);
    },
    HANG_TEST_MS,
  );

  test("go on as one when the other is killed, and are two again soon", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", `${STREAMS}`], workers: 2 });
    using resources = new DisposableStack();
    const channel = resources.use(await Channel.sending());
    const open = async () => resources.use(await Viewer.open(sluice, channel));
    const viewers = await Promise.all(Array.from({ length: STREAMS }, open));
    const workers = await Promise.all(viewers.map((viewer) => workerOf(sluice, viewer)));
    const doomed = viewers.filter((_, i) => workers[i] === 0);
    const spared = viewers.filter((_, i) => workers[i] === 1);
    expect(Math.min(doomed.length, spared.length)).toBeGreaterThan(0);
    const [pid] = sluice.workers;

    const knocking = keepKnocking(sluice);
    await spared[0]!.more(500);
    const since = sluice.log.length;
    const killedAt = performance.now();
    process.kill(pid!, "SIGKILL");
    await sluice.waitForLog(/^\[Worker 0\] Server initialization complete/, { since, ms: NEW_WORKER_MS });
    await sluice.waitForLog(
      new RegExp(`Reclaimed ${doomed.length} status client slot\\(s\\) from worker 0 \\(pid ${pid}\\)`),
    );

    const knocks = await knocking;
    expect(knocks.filter(({ outcome }) => outcome === "refused")).toEqual([]);
    expect(knocks.filter(({ outcome, at }) => outcome === "cut" && at > killedAt + DEATH_MS)).toEqual([]);
    expect(knocks.filter(({ outcome, at }) => outcome === "answered" && at > killedAt).length).toBeGreaterThan(20);
    await until(() => doomed.every(({ client }) => client.state !== "open"), WAIT_MS, "the end of the doomed streams");

    const next = await Promise.all(doomed.map(open));
    await expect(open()).rejects.toThrow("503");
    await Promise.all([...spared, ...next].map((viewer) => viewer.more(100)));
    channel.sender.pause();
    await Promise.all([...spared, ...next].map((viewer) => viewer.catchUp(channel)));
    for (const { verifier } of [...spared, ...next]) expect(verifier.counts).toMatchObject(CLEAN);
  });
});
