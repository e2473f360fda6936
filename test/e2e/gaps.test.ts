/** Silence: a group that never sends, one that falls silent and comes back, and one that does not. */

import { describe, expect, test } from "bun:test";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, USUAL_RATE, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const LEAVE_MS = 5000;
/** How late a timer of the program may be on a busy machine. */
const LATE_MAX_MS = 10_000;
/** Each lasts 3 s or less on a machine that has nothing else to do. */
const TEST_MS = 60_000;
const ADVICE = "check IGMP snooping and querier on the switch, the firewall on interface lo";

/** How long the answer took, in ms, once it was the one of a stream that never began. */
async function refusal(sluice: Sluice, target: string): Promise<number> {
  const before = performance.now();
  const { head, body } = await answerTo(sluice, target);
  expect([head.status, body]).toEqual([503, "<!doctype html><title>503</title>Service Unavailable"]);
  return performance.now() - before;
}

forEachVariant("silence", (start) => {
  // They wait for the same seconds.
  describe.concurrent("of a group", () => {
    test(
      "that never sends is answered 503 after 3 s, and the log says what to check",
      async () => {
        await using sluice = await start({ args: ON_LOOPBACK });
        using channel = await Channel.open();
        const ms = await refusal(sluice, channel.path);
        expect(ms).toBeGreaterThan(2500);
        expect(ms).toBeLessThan(3000 + LATE_MAX_MS);
        await sluice.waitForLog(new RegExp(`rtp://${channel.address}: no media within 3 s of joining; ${ADVICE}$`));
        await channel.untilLeft(LEAVE_MS);
      },
      TEST_MS,
    );

    test(
      "whose datagrams are no media, or from another source, is answered 503 too",
      async () => {
        await using sluice = await start({ args: ON_LOOPBACK });
        using strays = await Channel.open();
        using channel = await Channel.sending();
        const sending = setInterval(() => strays.sender.sendRaw(Buffer.from("not a transport stream")), 20);
        try {
          const answers = [refusal(sluice, strays.path), refusal(sluice, `/rtp/192.0.2.7@${channel.address}`)];
          for (const ms of await Promise.all(answers)) expect(ms).toBeGreaterThan(2500);
        } finally {
          clearInterval(sending);
        }
      },
      TEST_MS,
    );

    test(
      "that comes back after 2.5 s is not noticed by the client but in the log",
      async () => {
        await using sluice = await start({ args: ON_LOOPBACK });
        using channel = await Channel.sending();
        using viewer = await Viewer.open(sluice, channel);
        await viewer.more(100);
        channel.sender.pause();
        await Bun.sleep(2500);
        await viewer.catchUp(channel);
        channel.sender.start(USUAL_RATE);
        await viewer.more(500);
        expect(viewer.verifier.counts).toMatchObject(CLEAN);
        await sluice.waitForLog(
          new RegExp(`was silent for (2\\.[4-9]|[3-9]\\.\\d) s and is back after \\d+ rejoins?; ${ADVICE}$`),
        );
        expect(channel.members).toBe(1);
      },
      TEST_MS,
    );

    test.each([1, 2])(
      "that lasts longer than --mcast-gap-timeout %d ends the connection with a FIN",
      async (seconds) => {
        await using sluice = await start({ args: [...ON_LOOPBACK, "--mcast-gap-timeout", `${seconds}`] });
        using channel = await Channel.sending();
        using viewer = await Viewer.open(sluice, channel);
        await viewer.more(100);
        const before = performance.now();
        channel.sender.pause();
        await viewer.catchUp(channel);
        await until(() => viewer.client.state !== "open", seconds * 1000 + LATE_MAX_MS, "the end of the stream");
        const ms = performance.now() - before;
        expect([viewer.client.state, viewer.client.error]).toEqual(["ended", undefined]);
        expect(ms).toBeGreaterThan(seconds * 1000 - 200);
        expect(ms).toBeLessThan(seconds * 1000 + LATE_MAX_MS);
        viewer.verifier.end();
        expect(viewer.verifier.counts).toMatchObject(CLEAN);
        await sluice.waitForLog(
          new RegExp(`has been silent for ${seconds} s, given up after \\d+ rejoins; ${ADVICE}$`),
        );
        await channel.untilLeft(LEAVE_MS);
      },
      TEST_MS,
    );
  });
});
