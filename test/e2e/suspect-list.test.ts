/** A list that has killed a worker is not read again at once (m3u.md section 3). */

import { expect, test } from "bun:test";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { until } from "../fakes/until.ts";
import { answerTo } from "./channel.ts";
import { forEachVariant } from "./harness.ts";

const WAIT_MS = 30_000;
const TEST_MS = 120_000;
/** Takes a second and more to be read. */
const ENTRIES = 90_000;
const BIG = `#EXTM3U\n${Array.from({ length: ENTRIES }, (_, i) => `#EXTINF:-1 tvg-id="${i}",Channel ${i}\nrtp://239.1.1.1:${i % 65535}\n`).join("")}`;
const READING = /^\[Worker 0\] http.*: reading \d+ bytes$/;

forEachVariant("a worker that dies of a list", (start) => {
  test(
    "is succeeded by one that lets it be for a while, and has the copy of before",
    async () => {
      await using server = new PlaylistServer();
      const url = server.on("/list", "#EXTM3U\n#EXTINF:-1,Good\nrtp://239.0.0.1:5000\n");
      await using sluice = await start({ args: ["-M", url] });
      const has = (name: string) => async () => {
        const response = await fetch(`${sluice.url}/playlist.m3u`).catch(() => undefined);
        return (await response?.text())?.includes(name) ?? false;
      };
      await until(has("Good"), WAIT_MS, "the good list");
      server.on("/list", BIG);
      process.kill(sluice.pid, "SIGHUP");
      await sluice.waitForLog(READING, { count: 2 });
      const since = sluice.log.length;
      process.kill(sluice.workers[0]!, "SIGKILL");
      await sluice.waitForLog(
        /^\[Supervisor\] Worker 0 died while it read the playlist http:.* \(1 in a row\), which is not read again for 10 seconds$/,
        { since },
      );
      await sluice.waitForLog(/will retry in 2 seconds .*: A worker has died while it read it/, { since });
      expect(await has("Good")()).toBe(true);
      expect((await answerTo(sluice, "/status")).head.status).toBe(200);
      await until(has("Channel 89999"), WAIT_MS, "the list to be read after all");
    },
    TEST_MS,
  );
});
