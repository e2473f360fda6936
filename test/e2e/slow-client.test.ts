/** Clients that read too slowly, or not at all for a while: they lose whole pieces, and nobody else loses anything. */

import { expect, test } from "bun:test";
import { readTsPacket, TS_PACKET_BYTES } from "../fakes/ts-packets.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";
import { highest, soakMs } from "./soak.ts";

const RATE = 40_000_000;
/** TS packets from one random access point to the next: 0.1 s at that rate. */
const INTERVAL = 2660;
const SLOW_BYTES_PER_SECOND = 400_000;
/** How long memory is looked at, if the first loss does not take longer. */
const PAUSE_MS = soakMs(500);
const LOSS_MS = 15_000;
const TEST_MS = PAUSE_MS + LOSS_MS + 20_000;
/** A budget of 24 MiB, and what the process needs itself. */
const GROWTH_MAX_BYTES = 45_000_000;
const TS_PACKETS_PER_DATAGRAM = 7;

forEachVariant("slow clients", (start) => {
  test.each([true, false])(
    "lose whole packets, and the others none (random access points: %p)",
    async (randomAccess) => {
      await using sluice = await start({ args: ON_LOOPBACK });
      using channel = await Channel.sending({ interval: INTERVAL, randomAccess }, RATE);
      // Pages of files are shared with whatever else runs: they are counted apart.
      const before = await sluice.anonymous();
      using viewers = new DisposableStack();
      const open = async (record = false) => viewers.use(await Viewer.open(sluice, channel, { record }));
      const fast = [await open(), await open(), await open()];
      const slow = await open(true);
      const paused = await open(true);

      slow.client.readAtMost(SLOW_BYTES_PER_SECOND);
      paused.client.pause();
      const both = [slow, paused];
      await until(() => both.every((viewer) => lossesOf(sluice, viewer).length > 0), LOSS_MS, "the first losses");
      const most = await highest(() => sluice.anonymous(), PAUSE_MS);
      slow.client.resume();
      paused.client.resume();
      // More than any buffer on the way held: these were sent after the pause.
      await Promise.all([...fast, slow, paused].map((viewer) => viewer.more(2 * INTERVAL)));
      channel.sender.pause();
      await Promise.all([...fast, slow, paused].map((viewer) => viewer.catchUp(channel)));

      for (const { verifier } of fast) expect(verifier.counts).toMatchObject(CLEAN);
      for (const { verifier, recording } of both) {
        expect(verifier.counts).toMatchObject({ ...CLEAN, lost: expect.any(Number) });
        expect(verifier.lost).toBeGreaterThan(0);
        expect(verifier.lost % TS_PACKETS_PER_DATAGRAM).toBe(0);
        if (randomAccess) expect(resumptions(recording).filter((first) => !isAtRandomAccess(first))).toEqual([]);
      }
      expect(most - before).toBeLessThan(GROWTH_MAX_BYTES);
      for (const viewer of fast) expect(lossesOf(sluice, viewer)).toEqual([]);
      for (const viewer of both) {
        const counts = lossesOf(sluice, viewer);
        expect(counts.length).toBeWithin(1, 3 + viewer.verifier.lost / TS_PACKETS_PER_DATAGRAM / 200);
        expect(counts.at(-1)! * TS_PACKETS_PER_DATAGRAM).toBeLessThanOrEqual(viewer.verifier.lost);
      }
    },
    TEST_MS,
  );
});

/** What the log says of the packets that a viewer has lost so far. */
function lossesOf(sluice: Sluice, { client }: Viewer): number[] {
  const warning = new RegExp(`127\\.0\\.0\\.1:${client.localPort} reads too slowly: (\\d+) packets`);
  return sluice.log.flatMap((line) => warning.exec(line)?.slice(1).map(Number) ?? []);
}

/** Counters of the packets before which others are missing. */
function resumptions(recording: readonly Uint8Array[]): number[] {
  const bytes = Buffer.concat(recording);
  const found: number[] = [];
  let next = readTsPacket(bytes)!.counter;
  for (let at = 0; at + TS_PACKET_BYTES <= bytes.length; at += TS_PACKET_BYTES) {
    const { counter } = readTsPacket(bytes, at)!;
    if (counter !== next) found.push(counter);
    next = counter + 1;
  }
  return found;
}

/** Whether the datagram that begins with this packet has a random access point in it: the third of an interval. */
function isAtRandomAccess(first: number): boolean {
  const behindStart = (first + TS_PACKETS_PER_DATAGRAM - 1 - 2) % INTERVAL;
  return behindStart < TS_PACKETS_PER_DATAGRAM;
}
