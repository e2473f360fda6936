/** The executable needs little memory while it is idle, and little again when its clients have gone. */

import { expect, test } from "bun:test";
import { until } from "../fakes/until.ts";
import { Channel, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forVariant } from "./harness.ts";
import { soakMs } from "./soak.ts";

const IDLE_RSS_MAX_BYTES = 40_000_000;
/** Of each process. */
const IDLE_ANONYMOUS_MAX_BYTES = 8_000_000;
const LEFT_BEHIND_MAX_BYTES = 10_000_000;
/** The program gives back what only its start needed after a second, and what streams needed when the last has ended. */
const SETTLE_MS = 30_000;
const CLIENTS = 64;
const CHANNELS = 4;
const RATE = 4_000_000;
const VIEWING_MS = soakMs(2000);
const TEST_MS = VIEWING_MS + 3 * SETTLE_MS;

forVariant("binary", "memory", (start) => {
  test(
    "is little when idle, and little again after 64 clients",
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", `${CLIENTS}`] });
      await until(async () => (await sluice.rss()) <= IDLE_RSS_MAX_BYTES, SETTLE_MS, "a small resident set");
      const most = (await sluice.pids()).length * IDLE_ANONYMOUS_MAX_BYTES;
      await until(async () => (await sluice.anonymous()) <= most, SETTLE_MS, "little anonymous memory");
      const idle = await sluice.anonymous();
      expect(idle).toBeGreaterThan(0);

      using resources = new DisposableStack();
      const channels: Channel[] = [];
      for (let i = 0; i < CHANNELS; i++) channels.push(resources.use(await Channel.sending({}, RATE)));
      const opening = Array.from({ length: CLIENTS }, (_, i) => Viewer.open(sluice, channels[i % CHANNELS]!));
      const viewers = await Promise.all(opening);
      await Bun.sleep(VIEWING_MS);
      for (const viewer of viewers) viewer.client.destroy();

      const isSmall = async () => (await sluice.anonymous()) - idle <= LEFT_BEHIND_MAX_BYTES;
      await until(isSmall, SETTLE_MS, "the memory of the streams to be given back");
      for (const channel of channels) await channel.untilLeft();
    },
    TEST_MS,
  );
});
