/** Channels by name: what lists of all kinds become, how they stay, and who plays them. */

import { afterAll, expect, test } from "bun:test";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { RtpFeed } from "../../src/demo/rtp-feed.ts";
import { startDemoSender } from "../../src/demo/sender.ts";
import { parseLoopClip } from "../../src/wire/mpegts/loop.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { endless, PlaylistServer, trickle } from "../fakes/playlist-server.ts";
import { interleavedFrame } from "../fakes/rtsp-connection.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forVariant, type Sluice } from "./harness.ts";

const CLIP_TICKS = 16 * 90_000;

const WORKERS = 2;
const WAIT_MS = 20_000;
const PROBE_TEST_MS = 30_000;
/** Enough connections for each worker to get some. */
const ASKS = 24;
/** A tick that waits for a list makes a hole in the stream; this much is for a busy machine. */
const LONGEST_HOLE_MS = 3000;
const NAMES = [
  ...["新闻/一台", 'a "quoted" name', "with  blanks", "a/b//c", "/slash", "100% %41", "📺 emoji", "x$y", "é;?#&=+|{}"],
  ...["same", "same", "same/2", "rtp/239.1.1.1:5000"],
];

const origin = new PlaylistServer();
afterAll(() => origin[Symbol.asyncDispose]());

const entry = (name: string, url: string) => `#EXTINF:-1,${name}\n${url}\n`;
const list = (names: readonly string[]) =>
  names.map((name, i) => entry(name, origin.on(`/media/${i}`, `media ${i}`))).join("");

/** Targets on the program, by the names that the playlist shows. */
async function published(sluice: Sluice): Promise<[name: string, target: string][]> {
  const { body } = await answerTo(sluice, "/playlist.m3u");
  return [...body.matchAll(/^#EXTINF:[^,]*,(.*)\nhttp:\/\/test(.*)$/gm)].map(([, name, target]) => [name!, target!]);
}

/** SIGHUP without a config file: lists and guides are loaded again. */
async function refresh(sluice: Sluice, done: RegExp, count: number): Promise<number> {
  const since = sluice.log.length;
  process.kill(sluice.pid, "SIGHUP");
  await sluice.waitForLog(done, { since, count, ms: WAIT_MS });
  return since;
}

const PARSED = /Parsed \d+ M3U entries/;

forVariant("source", "channels", (start) => {
  /** With the list of all names, and a guide. */
  async function startWithNames(): Promise<Sluice> {
    origin.requests.length = 0;
    origin.on("/guide", Bun.gzipSync("<tv/>"));
    const guide = `#EXTM3U x-tvg-url="${origin.url("/guide")}"\n`;
    const url = origin.on("/names", guide + list(NAMES));
    const sluice = await start({ workers: WORKERS, args: [...ON_LOOPBACK, "-m", "64", "-M", url] });
    await sluice.waitForLog(PARSED, { count: WORKERS, ms: WAIT_MS });
    return sluice;
  }

  test("every name leads to its upstream, from the playlist and from the page", async () => {
    await using sluice = await startWithNames();
    const targets = await published(sluice);
    expect(targets.map(([name]) => name)).toEqual(NAMES);
    const page = (await answerTo(sluice, "/")).body;
    for (const [i, [, target]] of targets.entries()) {
      const { head, body } = await answerTo(sluice, target);
      expect([target, head.status, body]).toEqual([target, 200, `media ${i}`]);
      expect(page).toContain(`href="${target}"`);
    }
    // A client that encodes nothing is understood too, as far as it can be.
    expect((await answerTo(sluice, "/新闻/一台")).body).toBe("media 0");
    expect((await answerTo(sluice, "/%zz")).head.status).toBe(400);
    expect((await answerTo(sluice, "/rtp/%zz")).head.status).toBe(404);
    expect((await answerTo(sluice, "/nobody")).head.status).toBe(404);
  });

  test("all workers publish the same, and servers are asked by one of them", async () => {
    await using sluice = await startWithNames();
    await sluice.waitForLog(/EPG data cached/, { ms: WAIT_MS });
    const hasGuide = async () => (await answerTo(sluice, "/epg.xml.gz", "HEAD")).head.status;
    // The other worker opens it a moment later.
    let inARow = 0;
    const haveAll = async () => {
      inARow = (await hasGuide()) === 200 ? inARow + 1 : 0;
      return inARow > ASKS;
    };
    await until(haveAll, WAIT_MS, "the guide of all workers");
    const tags = new Set<string | null>();
    const since = sluice.log.length;
    for (let i = 0; i < ASKS; i++) tags.add((await answerTo(sluice, "/playlist.m3u")).head.headers.get("etag"));
    expect(tags.size).toBe(1);
    const asked = sluice.log.slice(since).map((line) => /^\[Worker (\d)\] New client/.exec(line)?.[1]);
    expect(new Set(asked.filter(Boolean)).size).toBe(WORKERS);
    expect(origin.paths.filter((path) => !path.startsWith("/media"))).toEqual(["/names", "/guide"]);
  });

  test("names and URLs stay when the list grows, shrinks and is sorted otherwise", async () => {
    await using sluice = await startWithNames();
    const before = new Map(await published(sluice));
    origin.on("/names", list(["new", ...NAMES.slice(0, 9)]));
    await refresh(sluice, PARSED, WORKERS);
    const after = await published(sluice);
    expect(after).toHaveLength(10);
    for (const [name, target] of after.slice(1)) expect([name, target]).toEqual([name, before.get(name)!]);
    origin.on("/names", list(NAMES));
    await refresh(sluice, PARSED, WORKERS);
    expect(new Map(await published(sluice))).toEqual(before);
  });

  test("new workers have the last good list although its server is ill", async () => {
    await using sluice = await startWithNames();
    const before = await published(sluice);
    origin.on("/names", () => new Response("", { status: 500 }));
    const since = sluice.log.length;
    process.kill(sluice.pid, "SIGUSR1");
    await sluice.waitForLog(PARSED, { since, count: WORKERS, ms: WAIT_MS });
    await sluice.waitForLog(/fetch failed: .*, will retry in 2 seconds \(retry 1\/8\): HTTP status 500/, { since });
    for (let i = 0; i < ASKS / 4; i++) expect(await published(sluice)).toEqual(before);
  });

  test("hostile servers take nothing away and hold nothing up", async () => {
    using channel = await Channel.sending();
    const good = { error: "/e", page: "/p", endless: "/x", loop: "/l", slow: "/s" };
    const urls = Object.entries(good).map(([name, path]) => origin.on(path, entry(name, `rtp://${channel.address}`)));
    const args = [...ON_LOOPBACK, ...urls.flatMap((url) => ["-M", url])];
    await using victim = await start({ args });
    await victim.waitForLog(/External M3U reloaded successfully/, { count: urls.length, ms: WAIT_MS });
    const before = await answerTo(victim, "/playlist.m3u");
    using viewer = await Viewer.open(victim, channel, { target: "/slow" });
    const holes = new Holes(viewer);

    origin.on(good.error, () => new Response("", { status: 500 }));
    origin.on(good.page, "<!doctype html><title>Welcome</title>".repeat(1000));
    origin.on(good.endless, endless);
    origin.on(good.loop, () => Response.redirect(origin.url(good.loop)));
    origin.on(good.slow, () => trickle(entry("gone", "http://h/"), 1000));
    const since = await refresh(victim, /Async external M3U fetch failed/, urls.length - 1);
    const reasons = victim.log.slice(since).flatMap(
      (line) =>
        /\/(.): (.*); .* stale since 20/
          .exec(line.replace(/, will.*?\)/, ""))
          ?.slice(1)
          .join(": ") ?? [],
    );
    expect(reasons.toSorted()).toEqual([
      "e: HTTP status 500",
      "l: More than 50 redirects",
      "p: No channel in it: it is an HTML page",
      "x: No channel in it",
    ]);
    expect(await answerTo(victim, "/playlist.m3u")).toEqual(before);
    await viewer.more(500);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(holes.longestMs).toBeLessThan(LONGEST_HOLE_MS);
    expect(origin.pending).toBe(1);
  });
});

/** Watches when bytes come. */
class Holes {
  longestMs = 0;

  constructor({ client, verifier }: Viewer) {
    let last = performance.now();
    client.stream((chunk) => {
      const now = performance.now();
      this.longestMs = Math.max(this.longestMs, now - last);
      last = now;
      verifier.push(chunk);
    });
  }
}

forVariant("source", "ffprobe", (start) => {
  test(
    "plays channels from the published list: multicast, HTTP and RTSP",
    async () => {
      const { clip } = MULTICAST_CHANNELS[0]!;
      const group = { ...MULTICAST_CHANNELS[0]!, group: uniqueGroup(), port: await freeUdpPort() };
      const sender = await startDemoSender([group]);
      using server = await ClipServer.open(clip);
      const media = origin.on("/clip.ts", await Bun.file(clip).bytes());
      const text =
        entry("多播 1", `rtp://${group.group}:${group.port}`) + entry("网页 2", media) + entry("点播 3", server.url);
      await using sluice = await start({ args: [...ON_LOOPBACK, "-M", origin.on("/probe", text)] });
      await sluice.waitForLog(PARSED, { ms: WAIT_MS });
      const { body } = await answerTo({ port: sluice.port }, "/playlist.m3u");
      const urls = [...body.matchAll(/^http:\/\/test(.*)$/gm)].map(([, target]) => sluice.url + target);
      expect(urls).toHaveLength(3);
      try {
        expect(await Promise.all(urls.map(probe))).toEqual(["h264 aac", "h264 aac", "h264 aac"]);
      } finally {
        sender.stop();
      }
    },
    PROBE_TEST_MS,
  );
});

/** An RTSP server that sends a clip faster than it lasts. */
class ClipServer {
  readonly url: string;
  readonly #server: RtspServer;
  readonly #timer: Timer;

  static async open(clip: string): Promise<ClipServer> {
    const server = await RtspServer.open({ datagramsPerBeat: 0 });
    return new ClipServer(server, await Bun.file(clip).bytes());
  }

  private constructor(server: RtspServer, clip: Uint8Array) {
    this.#server = server;
    this.url = server.url("/clip");
    let ticks = 0;
    const feed = new RtpFeed(parseLoopClip(clip, CLIP_TICKS)!, (datagram) => {
      for (const connection of server.sessions.values()) connection.send(interleavedFrame(0, datagram.slice()));
    });
    this.#timer = setInterval(() => {
      if (!server.methods.includes("PLAY")) return;
      ticks += CLIP_TICKS / 100;
      feed.advance(ticks);
    }, 20);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#server.close();
  }
}

/** The codecs that ffprobe finds. */
async function probe(url: string): Promise<string> {
  const fields = ["-analyzeduration", "1000000", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
  const env = { PATH: process.env["PATH"], no_proxy: "*" };
  const child = Bun.spawn(["ffprobe", "-v", "fatal", ...fields, url], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: PROBE_TEST_MS,
  });
  const names = (await child.stdout.text()).split("\n").map((line) => line.replace(/,.*/, "").trim());
  return [...new Set(names.filter(Boolean))].toSorted().toReversed().join(" ");
}
