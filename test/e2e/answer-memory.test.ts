/** What clients cost that ask for much and read nothing. */

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { forVariant, type Sluice } from "./harness.ts";
import { residentBytes } from "./processes.ts";

const CLIENTS = 300;
const CHANNELS = 20_000;
/** The whole body is 3 MB, for each of them 900 MB. */
const MAX_GROWTH_BYTES = 100_000_000;
/** Each of all would take some 280 KB. */
const MAX_GUIDE_GROWTH_BYTES = 60_000_000;
const NOISE_BYTES = 1_000_000;
const QUIET_SAMPLES = 20;
const WAIT_MS = 20_000;
const TEST_MS = 120_000;

const directory = mkdtempSync(join(tmpdir(), "sluice-answers-"));
process.on("exit", () => rmSync(directory, { recursive: true }));

async function write(name: string, lines: readonly string[]): Promise<string> {
  const path = join(directory, name);
  await Bun.write(path, lines.join("\n"));
  return path;
}

/** Bytes by which the program grows for clients that read nothing; `head` is what each of them sends. */
async function growthOf(sluice: Sluice, head: (client: number) => string): Promise<number> {
  using resources = new DisposableStack();
  const memory = async () => residentBytes(await sluice.pids());
  const before = await memory();
  const clients: HttpClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = resources.use(await HttpClient.connect(sluice));
    client.pause();
    client.send(head(i));
    clients.push(client);
  }
  const mark = sluice.log.length;
  // Asked last, and so answered when all the others have had their turn.
  const late = resources.use(await HttpClient.connect(sluice));
  late.request("GET", "/last");
  await sluice.waitForLog(/requested URL: \/last/, { since: mark - 1, ms: WAIT_MS });
  // What is read from a file comes some turns later.
  let peak = await memory();
  let quietSamples = 0;
  await until(
    async () => {
      const now = await memory();
      quietSamples = now > peak + NOISE_BYTES ? 0 : quietSamples + 1;
      peak = Math.max(peak, now);
      return quietSamples > QUIET_SAMPLES;
    },
    WAIT_MS,
    "memory to grow no more",
  );
  return peak - before;
}

forVariant("source", "answers that nobody reads", (start) => {
  test(
    "of a long playlist, for one host and for many",
    async () => {
      const entries = Array.from(
        { length: CHANNELS },
        (_, i) => `#EXTINF:-1,Channel ${i}\nrtsp://10.0.0.1/channel/${i}`,
      );
      const list = await write("list.m3u", ["#EXTM3U", ...entries]);
      await using sluice = await start({ args: ["-M", `file://${list}`] });
      await sluice.waitForLog(/Parsed 20000 M3U entries/);
      const host = (name: string) => `GET /playlist.m3u HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
      expect(await growthOf(sluice, () => host("tv.lan"))).toBeLessThan(MAX_GROWTH_BYTES);
      expect(await growthOf(sluice, (i) => host(`${"h".repeat(240)}${i}`))).toBeLessThan(MAX_GROWTH_BYTES);
      expect(await growthOf(sluice, (i) => host(`${"h".repeat(7800)}${i}`))).toBeLessThan(MAX_GROWTH_BYTES);
      const { stdout } = Bun.spawnSync(["curl", "-sS", "--noproxy", "*", `${sluice.url}/playlist.m3u`]);
      const lines = stdout.toString().split("\n");
      expect(lines.filter((line) => line.startsWith(`${sluice.url}/Channel%20`))).toHaveLength(CHANNELS);
    },
    TEST_MS,
  );

  test(
    "of a guide",
    async () => {
      const programme = (_: unknown, i: number) =>
        `<programme start="${i}" channel="${Bun.hash(`${i}`)}"><title/></programme>`;
      const guide = await write("guide.xml", ["<tv>", ...Array.from({ length: 70_000 }, programme), "</tv>"]);
      const list = await write("guided.m3u", [`#EXTM3U x-tvg-url="file://${guide}"`, "#EXTINF:-1,A", "rtsp://h/"]);
      await using sluice = await start({ args: ["-M", `file://${list}`] });
      await sluice.waitForLog(/EPG data cached/);
      const growth = await growthOf(sluice, () => "GET /epg.xml HTTP/1.1\r\nHost: h\r\n\r\n");
      expect(growth).toBeLessThan(MAX_GUIDE_GROWTH_BYTES);
      const { stdout } = Bun.spawnSync(["curl", "-sS", "--noproxy", "*", "--retry", "3", `${sluice.url}/epg.xml`]);
      expect(stdout.toString()).toBe(await Bun.file(guide).text());
    },
    TEST_MS,
  );

  test(
    "of a list whose header stands in each of its entries",
    async () => {
      const entries = Array.from({ length: 100_000 }, (_, i) => `#EXTINF:-1,C${i}\nrtsp://h/${i}`);
      const header = `#EXTM3U catchup="append" catchup-source="?a=${"x".repeat(60_000)}"`;
      const list = await write("header.m3u", [header, ...entries]);
      await using sluice = await start({ args: ["-M", `file://${list}`] });
      await sluice.waitForLog(/Parsed 100000 M3U entries/, { ms: TEST_MS });
      expect(sluice.log.join("\n")).toContain("#EXTM3U attribute too long for all entries");
      expect(await residentBytes(await sluice.pids())).toBeLessThan(400_000_000);
    },
    TEST_MS,
  );
});
