/** A newcomer to a running channel begins at its last key frame, unless that is switched off. */

import { expect, test } from "bun:test";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const RATE = 16_000_000;
/** TS packets from one random access point to the next, 0.14 s at that rate. */
const INTERVAL = 1500;

forEachVariant("a newcomer", (start) => {
  test("begins with PAT, PMT and key frame, without waiting for the channel", async () => {
    await using sluice = await start({ args: ON_LOOPBACK });
    using channel = await Channel.sending({ interval: INTERVAL }, RATE);
    using viewer = await Viewer.open(sluice, channel);
    await viewer.more(2 * INTERVAL);
    // Nothing is sent while the newcomer comes, so that all it gets now was there before it.
    channel.sender.pause();
    await viewer.catchUp(channel);
    using newcomer = await Viewer.open(sluice, channel);
    await newcomer.catchUp(channel);
    expect(newcomer.verifier.counts).toMatchObject({ ...CLEAN, beganAtRandomAccess: true });
    expect(channel.lastCounter - newcomer.verifier.first!).toBeLessThan(INTERVAL + 7);

    channel.sender.start(RATE);
    await Promise.all([viewer.more(INTERVAL), newcomer.more(INTERVAL)]);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(newcomer.verifier.counts).toMatchObject(CLEAN);
  });

  test("begins with what comes next where the channel has no key frames", async () => {
    await using sluice = await start({ args: ON_LOOPBACK });
    using channel = await Channel.sending({ interval: INTERVAL, randomAccess: false }, RATE);
    await beginsWithWhatComesNext(sluice, channel);
  });

  test("begins with what comes next with --no-fast-start", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "--no-fast-start"] });
    using channel = await Channel.sending({ interval: INTERVAL }, RATE);
    await beginsWithWhatComesNext(sluice, channel);
  });
});

async function beginsWithWhatComesNext(sluice: Sluice, channel: Channel): Promise<void> {
  using viewer = await Viewer.open(sluice, channel);
  await viewer.more(2 * INTERVAL);
  channel.sender.pause();
  await viewer.catchUp(channel);
  const next = channel.lastCounter + 1;
  const opening = Viewer.open(sluice, channel);
  await sluice.waitForLog(/New client/, { count: 2 });
  channel.sender.start(RATE);
  using newcomer = await opening;
  await newcomer.more(INTERVAL);
  expect(newcomer.verifier.counts).toMatchObject({ ...CLEAN, first: next });
}
