/** A hundred clients that come and vanish at random leave nothing behind. */

import { expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { seededRandom } from "../fakes/random.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";
import { wakeUps } from "./processes.ts";
import { soakMs } from "./soak.ts";

const CLIENTS = 100;
const CHANNELS = 10;
const RATE = 1_000_000;
const CHURN_MS = soakMs(4000);
const LONGEST_VISIT_MS = 800;
/** The program waits 2 s for a client's FIN. */
const SETTLE_MS = 20_000;
/** A second of an idle process: its few timers, but no heartbeat, which is 50 and more. */
const IDLE_WAKE_UPS_MAX = 15;
const TEST_MS = CHURN_MS + 3 * SETTLE_MS;

/** `half-close`: first one direction, then the other. */
type Manner = "close" | "destroy" | "half-close";
const MANNERS: readonly Manner[] = ["close", "destroy", "half-close"];

forEachVariant("churn", (start) => {
  test(
    "leaves no connection, no membership, no descriptor and no heartbeat",
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "256"] });
      using resources = new DisposableStack();
      const channels: Channel[] = [];
      for (let i = 0; i < CHANNELS; i++) channels.push(resources.use(await Channel.sending({}, RATE)));
      const fds = await sluice.fds();

      const deadline = performance.now() + CHURN_MS;
      const visits = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => churn(i, sluice, channels, deadline)));
      expect(visits.flat().length).toBeGreaterThan(2 * CLIENTS);
      for (const counts of visits.flat()) expect(counts).toMatchObject(CLEAN);

      for (const channel of channels) await channel.untilLeft();
      await until(async () => (await sluice.fds()) === fds, SETTLE_MS, `${fds} descriptors`);
      await until(async () => (await wakeUpsInOneSecond(sluice)) <= IDLE_WAKE_UPS_MAX, SETTLE_MS, "an idle process");
      expect(sluice.log.filter((line) => line.includes("failed"))).toEqual([]);
      const joins = (word: string) => sluice.log.filter((line) => line.includes(`${word} rtp://`)).length;
      expect(joins("Left")).toBe(joins("Joined"));

      using viewer = await Viewer.open(sluice, channels[0]!);
      await viewer.more(100);
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
    },
    TEST_MS,
  );
});

/** One client after the other until `deadline`. Returns what each of them has seen. */
async function churn(seed: number, sluice: Sluice, channels: readonly Channel[], deadline: number) {
  const random = seededRandom(seed + 1);
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 10; i++) random();
  const visits: TsVerifier["counts"][] = [];
  while (performance.now() < deadline) {
    const channel = channels[Math.floor(random() * channels.length)]!;
    const manner = MANNERS[Math.floor(random() * MANNERS.length)]!;
    const share = random();
    const request = `GET ${channel.path} HTTP/1.1\r\nHost: test\r\n\r\n`;
    using client = await HttpClient.connect(sluice);
    // One in ten vanishes within its request.
    client.send(share < 0.1 ? request.slice(0, share * 10 * request.length) : request);
    if (share < 0.2) await leave(client, manner);
    else visits.push(await watch(client, channel, random() * LONGEST_VISIT_MS, manner));
  }
  return visits;
}

async function watch(client: HttpClient, channel: Channel, ms: number, manner: Manner): Promise<TsVerifier["counts"]> {
  const verifier = new TsVerifier(channel.streamId);
  expect((await client.head()).status).toBe(200);
  client.stream((chunk) => verifier.push(chunk));
  await Bun.sleep(ms);
  await leave(client, manner);
  return verifier.counts;
}

async function leave(client: HttpClient, manner: Manner): Promise<void> {
  if (manner === "half-close") {
    client.halfClose();
    await Bun.sleep(0);
  }
  if (manner === "destroy") client.destroy();
  else client.close();
}

async function wakeUpsInOneSecond(sluice: Sluice): Promise<number> {
  const pids = await sluice.pids();
  const before = await wakeUps(pids);
  await Bun.sleep(1000);
  return (await wakeUps(pids)) - before;
}
