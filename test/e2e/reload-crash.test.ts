/** A worker that dies while a reload is prepared or committed: the new settings hold, and nothing of the old ones is left. */

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { below } from "../fakes/mutation.ts";
import { seededRandom } from "../fakes/random.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const ROUNDS = 12;
const WORKERS = 2;
/** A reload takes about as long: the death comes before, within and after it. */
const LATEST_DEATH_MS = 60;
/** A worker that has died too often is started again after 5 s (config.md section 9). */
const WAIT_MS = 30_000;
const TEST_MS = 180_000;

async function answers(port: number): Promise<boolean> {
  const client = await HttpClient.connect({ port }).catch(() => undefined);
  if (client === undefined) return false;
  using _ = client;
  client.request("GET", "/");
  return (await client.head(WAIT_MS).catch(() => undefined))?.status === 200;
}

async function isRefused(port: number): Promise<boolean> {
  const client = await HttpClient.connect({ port }).catch(() => undefined);
  client?.destroy();
  return client === undefined;
}

/** Kills some of the workers, or none that lives any more. */
async function killWorkers(sluice: Sluice, count: number): Promise<void> {
  const living = new Set(await sluice.pids());
  for (const pid of sluice.workers.filter((worker) => living.has(worker)).slice(0, count)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has been told to end, and has.
    }
  }
}

forEachVariant("a worker that dies within a reload", (start) => {
  test(
    "is replaced by one with the new settings",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "sluice-reload-crash-"));
      using resources = new DisposableStack();
      resources.defer(() => rmSync(directory, { recursive: true }));
      const configFile = join(directory, "sluice.conf");
      const configure = (port: number) =>
        writeFileSync(configFile, `[global]\nverbosity = 3\nworkers = ${WORKERS}\n[bind]\n127.0.0.1 ${port}\n`);
      const random = seededRandom(ROUNDS);
      let port = await freeTcpPort();
      configure(port);
      await using sluice = await start({ configFile, port, workers: WORKERS });
      const files = await sluice.fds();
      for (let round = 0; round < ROUNDS; round++) {
        const before = port;
        port = await freeTcpPort();
        configure(port);
        process.kill(sluice.pid, "SIGHUP");
        await Bun.sleep(random() * LATEST_DEATH_MS);
        await killWorkers(sluice, 1 + below(WORKERS, random));
        await until(() => isRefused(before), WAIT_MS, `round ${round}: the old listener to be closed`);
        await until(() => answers(port), WAIT_MS, `round ${round}: an answer at the new address`);
      }
      const isComplete = async () => (await sluice.pids()).length === 1 + WORKERS;
      await until(isComplete, WAIT_MS, `${WORKERS} workers`);
      await until(async () => (await sluice.fds()) <= files, WAIT_MS, `${files} descriptors`);
      expect(await answers(port)).toBe(true);
    },
    TEST_MS,
  );
});
