/** RTSP servers that send damaged bytes end their own clients at the worst: nothing hangs, nothing is left, others see nothing of it. */

import { expect, test } from "bun:test";
import { openDamagingRtspServer } from "../fakes/damaging-rtsp-server.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forVariant, type Sluice } from "./harness.ts";
import { soakMs } from "./soak.ts";

const SEEDS = Math.max(100, Math.round(soakMs(0) / 100));
const AT_ONCE = 20;
/** Each answer may take 3 s (rtsp.md section 4), and a client whose session has failed may be sent to another transport. */
const ANSWER_MS = 60_000;
const VISIT_PACKETS = 300;
const VISIT_MS = 1000;
const WAIT_MS = 20_000;
const TEST_MS = 120_000 + SEEDS * 1000;

/** Asks a damaging server for its stream and stays a while. Returns the status, or `end` where none came. */
async function visit(sluice: Sluice, seed: number): Promise<number | "end"> {
  using server = await openDamagingRtspServer(seed, { transport: seed % 4 === 0 ? "udp" : "tcp" });
  using client = await HttpClient.connect(sluice);
  client.request("GET", `/rtsp/127.0.0.1:${server.port}/ch`);
  const outcome = await client.head(ANSWER_MS).catch(() => undefined);
  if (outcome === undefined) {
    expect(client.state).not.toBe("open");
    return "end";
  }
  if (outcome.status === 200) {
    let bytes = 0;
    client.stream((chunk) => {
      bytes += chunk.length;
    });
    const deadline = performance.now() + VISIT_MS;
    const isEnough = () => bytes >= VISIT_PACKETS * 188 || client.state !== "open" || performance.now() > deadline;
    await until(isEnough, WAIT_MS, "a part of the stream");
  }
  return outcome.status;
}

forVariant("source", "damaged RTSP", (start) => {
  test(
    `of ${SEEDS} servers does no harm`,
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "200"] });
      using healthy = await RtspServer.open();
      using client = await HttpClient.connect(sluice);
      client.request("GET", `/rtsp/127.0.0.1:${healthy.port}/ch`);
      expect((await client.head(WAIT_MS)).status).toBe(200);
      const verifier = new TsVerifier(1);
      client.stream((chunk) => verifier.push(chunk));
      using channel = await Channel.sending({ streamId: 2 });
      using viewer = await Viewer.open(sluice, channel);
      await viewer.more(10);
      const files = await sluice.fds();

      const outcomes: (number | "end")[] = [];
      let seed = 0;
      const visitAll = async () => {
        while (seed < SEEDS) outcomes.push(await visit(sluice, ++seed));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, visitAll));

      expect(outcomes).toHaveLength(SEEDS);
      // Damage is of use only where some of it comes late.
      expect(outcomes.filter((outcome) => outcome === 200).length).toBeGreaterThan(SEEDS / 10);
      expect(outcomes.filter((outcome) => outcome !== 200).length).toBeGreaterThan(SEEDS / 10);
      await until(async () => (await sluice.fds()) <= files, WAIT_MS, "all files to be closed");
      const seen = verifier.packets;
      await until(() => verifier.packets > seen + 100, WAIT_MS, "the stream of the healthy server");
      await viewer.more(100);
      expect(verifier.counts).toMatchObject({ first: 0, lost: 0, duplicate: 0, corrupt: 0, stray: 0 });
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
      expect(sluice.log.filter((line) => /Spawned worker/.test(line))).toHaveLength(1);
      expect(sluice.log.filter((line) => /uncaught|unhandled|TypeError|RangeError/i.test(line))).toEqual([]);
    },
    TEST_MS,
  );
});
