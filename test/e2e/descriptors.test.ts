/** Many connections, and few descriptors: whoever watches goes on watching, and the status page is there. */

import { expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";
import { cpuSeconds } from "./processes.ts";

const IDLE = 1300;
const FEW_FILES = 128;
/** A fourth. */
const RESERVE = 32;
/** Fewer than may wait to be accepted. */
const BACKLOG = 100;
const WAIT_MS = 20_000;
const TEST_MS = 90_000;
/** A loop that tries to accept without a descriptor would take all of it. */
const WATCHED_MS = 2000;
const MOST_CPU = 0.5;

/** Connections as far as they were made: one that is refused may be closed before it is seen to be open. */
async function connected(sluice: Sluice, count: number, resources: DisposableStack): Promise<HttpClient[]> {
  const clients: HttpClient[] = [];
  for (let left = count; left > 0; left -= BACKLOG) {
    const some = Array.from({ length: Math.min(BACKLOG, left) }, () => HttpClient.connect(sluice));
    for (const result of await Promise.allSettled(some)) {
      if (result.status === "fulfilled") clients.push(resources.use(result.value));
    }
  }
  return clients;
}

/** A client that gets the event stream; undefined when there is no room for it. */
async function reader(sluice: Sluice, resources: DisposableStack): Promise<HttpClient | undefined> {
  const [client] = await connected(sluice, 1, resources);
  client?.request("GET", "/status/sse");
  try {
    await client?.head(WAIT_MS);
    return client;
  } catch (error) {
    if (client?.state === "open") throw error;
    return undefined;
  }
}

/** The status of what a program by others gets. */
async function curlStatus(sluice: Sluice, path: string): Promise<string> {
  const words = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", "--noproxy", "*"];
  const child = Bun.spawn([...words, `${sluice.url}${path}`], { stdin: "ignore", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return out + err;
}

forEachVariant("descriptors", (start) => {
  test(
    `${IDLE} connections without a request keep nobody out`,
    async () => {
      await using sluice = await start({ args: ON_LOOPBACK });
      using channel = await Channel.sending();
      using viewer = await Viewer.open(sluice, channel);
      using resources = new DisposableStack();
      const idle = await connected(sluice, IDLE, resources);
      await until(() => idle[0]!.state === "closed", WAIT_MS, "the oldest to be closed");
      expect(await curlStatus(sluice, "/status")).toBe("200");
      using late = await Viewer.open(sluice, channel);
      await Promise.all([viewer.more(500), late.more(500)]);
      expect([viewer.verifier.counts, late.verifier.counts]).toMatchObject([CLEAN, CLEAN]);
      expect(idle.at(-1)!.state).toBe("open");
      await sluice.waitForLog(/Too many connections \(limit 1029\): \d+ waiting ones closed for new ones/);
    },
    TEST_MS,
  );

  test(
    `with ${FEW_FILES} descriptors, connections without a request keep nobody out either`,
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "200"], maxFiles: FEW_FILES });
      using resources = new DisposableStack();
      // Those that make room leave low numbers behind, so that the number of the next one does not tell how many are taken.
      const clients = await connected(sluice, 300, resources);
      await until(
        () => clients.filter(({ state }) => state === "open").length <= FEW_FILES - RESERVE / 4,
        WAIT_MS,
        "the oldest to be closed",
      );
      expect(await curlStatus(sluice, "/status")).toBe("200");
      const [worker = 0] = sluice.workers;
      const before = await cpuSeconds(worker);
      await Bun.sleep(WATCHED_MS);
      expect((await cpuSeconds(worker)) - before).toBeLessThan((MOST_CPU * WATCHED_MS) / 1000);
    },
    TEST_MS,
  );

  test(
    `with ${FEW_FILES} descriptors some watch, others are told, and the status page is there`,
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "200"], maxFiles: FEW_FILES });
      await sluice.waitForLog(/Open files and sockets: up to 128 in each process/);
      await sluice.waitForLog(/Only 96 of 1224 connections are possible/);
      using channel = await Channel.sending();
      using resources = new DisposableStack();
      const viewers: Viewer[] = [];
      const refusal = await (async () => {
        for (;;) viewers.push(resources.use(await Viewer.open(sluice, channel)));
      })().catch((error: Error) => error.message);
      expect(refusal).toEndWith("503 Service Unavailable");
      await sluice.waitForLog(/Too many open files for another media client/);
      expect(viewers.length).toBeGreaterThan(FEW_FILES / 3);
      expect(viewers.length).toBeLessThanOrEqual(FEW_FILES - RESERVE);
      expect(await curlStatus(sluice, "/status")).toBe("200");

      const clients = await connected(sluice, 300, resources);
      await until(() => clients.filter(({ state }) => state === "open").length < RESERVE, WAIT_MS, "refusals");
      expect(await curlStatus(sluice, "/status")).toBe("200");

      // Those that read events wait for nothing, so that none of them makes room.
      const readers: HttpClient[] = [];
      for (;;) {
        const next = await reader(sluice, resources);
        if (!next) break;
        readers.push(next);
      }
      expect(readers.length).toBeGreaterThan(0);
      expect(readers.length).toBeLessThan(RESERVE);
      const [worker = 0] = sluice.workers;
      const before = await cpuSeconds(worker);
      await connected(sluice, 100, resources);
      await Bun.sleep(WATCHED_MS);
      expect((await cpuSeconds(worker)) - before).toBeLessThan((MOST_CPU * WATCHED_MS) / 1000);

      for (const reader of readers) reader.destroy();
      for (const client of clients) client.destroy();
      const more = viewers.slice(0, 3).map((viewer) => viewer.more(200));
      await Promise.all(more);
      for (const { verifier } of viewers) expect(verifier.counts).toMatchObject(CLEAN);
      expect((await answerTo(sluice, "/status")).head.status).toBe(200);
    },
    TEST_MS,
  );
});
