/**
 * Nobody is felt: all that `test/corpus/hostile` holds is done to one program, which relays a stream of 20 Mbit/s beside it. Judged by
 * what that stream lost; turns of the event loop are measured in processor time, which a busy machine does not change much.
 */

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort, freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import {
  type HostileCase,
  type HostileKind,
  type HostileNews,
  type HostileOrder,
  type HostilePorts,
  hostileCases,
} from "../fakes/hostile-peer.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { NewCertificate } from "../fakes/http-origin.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { TURN_FILE } from "../fakes/turn-meter.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, Viewer } from "./channel.ts";
import { forVariant, type Sluice } from "./harness.ts";

const FAKES = join(import.meta.dir, "../fakes");
const RATE = 20_000_000;
/** Cases of a kind that are done at the same time. */
const AT_ONCE = 4;
/** Clients that send the same hostile request. */
const CLIENTS = 8;
/** The program waits for 3 s for an answer; the machine may be busy. */
const CASE_MS = 30_000;
const LOAD_MS = 60_000;
const WAIT_MS = 20_000;
const TEST_MS = 400_000;
/** Far more than any turn takes, and far less than the socket's buffer of 4 MB lasts. */
const LONGEST_TURN_MS = 300;
/** What no file backs, beside the same program that has served each kind once. */
const MEMORY_BYTES = 40_000_000;
/** The judged stream has some 1700 TS packets a second, of which each awaits 1000. */
const IDLE_SAMPLES = 8;
/** Of the list and the guide that hostile clients ask for. */
const CHANNELS = 20_000;
const PROGRAMMES = 50_000;

forVariant("source", "hostile", (start) => {
  const directory = mkdtempSync(join(tmpdir(), "hostile-"));
  const turnFile = join(directory, "turns");
  const configFile = join(directory, "config");
  const listFile = join(directory, "list.m3u");
  const sent: string[] = [];
  const { promise: peerPorts, resolve: peerListens } = Promise.withResolvers<HostilePorts>();
  const certificate = new NewCertificate(["IP:127.0.0.1"]);
  let peer: Bun.Subprocess;
  let sluice: Sluice;
  let channel: Channel;
  let viewer: Viewer;
  /** Until the end: a worker that dies takes the stream with it. */
  let isWatching = true;
  let idleBytes: number;
  let idleFiles: number;

  function configure(port: number, lists: readonly string[]): void {
    const global = ["[global]", "verbosity = 3", "maxclients = 100", "upstream-interface = lo"];
    const external = lists.map((url) => `external-m3u = ${url}`);
    writeFileSync(configFile, [...global, ...external, "[bind]", `127.0.0.1 ${port}`, ""].join("\n"));
  }

  beforeAll(async () => {
    const ipc = (news: HostileNews) => {
      if ("ports" in news) peerListens(news.ports);
      else sent.push(news.done);
    };
    peer = Bun.spawn([process.execPath, join(FAKES, "hostile-peer.ts"), certificate.file], {
      stdio: ["ignore", "inherit", "inherit"],
      ipc,
    });
    writeFileSync(turnFile, "");
    const port = await freeTcpPort();
    configure(port, []);
    const env = {
      BUN_OPTIONS: `--preload ${join(FAKES, "turn-meter.ts")}`,
      [TURN_FILE]: turnFile,
      NODE_EXTRA_CA_CERTS: certificate.file,
    };
    sluice = await start({ port, configFile, env });
    // What the first use of each takes is no harm.
    await using server = new PlaylistServer();
    const [one, two] = ["/1", "/2"].map((path) => server.on(path, "<tv></tv>"));
    await load(
      server.on("/list", `#EXTM3U x-tvg-url="${one},${two}"\n#EXTINF:-1,a\nrtp://239.1.1.1:1\n`),
      /EPG data cached/,
      2,
    );
    await load(`file://${listFile}`, /M3U fetch failed/);
    for (const path of ["/", "/status", "/playlist.m3u", "/epg.xml"]) await answerTo(sluice, path);
    for (const kind of ["rtsp", "http"] as const) await ask(kind, "http-letters");
    idleFiles = await openFiles();
    channel = await Channel.sending({}, RATE);
    viewer = await Viewer.open(sluice, channel);
    await viewer.more(5000);
    configure(sluice.port, []);
    process.kill(sluice.pid, "SIGHUP");
    // What the start and the first uses have left lying about goes meanwhile.
    idleBytes = Number.POSITIVE_INFINITY;
    for (let i = 0; i < IDLE_SAMPLES; i++) {
      await viewer.more(1000);
      idleBytes = Math.min(idleBytes, await sluice.anonymous());
    }
  }, TEST_MS);

  afterEach(async () => {
    if (isWatching) await viewer.more(1000);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    const turns = readFileSync(turnFile, "latin1").split("\n").map(Number);
    writeFileSync(turnFile, "");
    expect(Math.max(...turns)).toBeLessThan(LONGEST_TURN_MS);
  }, TEST_MS);

  afterAll(() => {
    viewer?.[Symbol.dispose]();
    channel?.[Symbol.dispose]();
    peer?.kill();
    certificate[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  /** Files and sockets that are open. The runtime's threads come as they are needed, and stay with what they wait by. */
  async function openFiles(): Promise<number> {
    const links = (await sluice.pids()).flatMap((pid) => {
      const files = `/proc/${pid}/fd`;
      return readdirSync(files).flatMap((fd) => {
        try {
          return readlinkSync(join(files, fd));
        } catch {
          return [];
        }
      });
    });
    return links.filter((link) => !/^anon_inode:\[event/.test(link)).length;
  }

  /** Waits until there is little memory, beside the judged stream and with no list. */
  async function untilSmall(): Promise<void> {
    let bytes = 0;
    const isSmall = async () => {
      bytes = await sluice.anonymous();
      return bytes <= idleBytes + MEMORY_BYTES;
    };
    await until(isSmall, WAIT_MS, () => `memory to be given back: ${bytes} bytes, ${idleBytes} at first`);
  }

  /** Does all cases of a kind, some at once. A failure names its case. */
  async function forEachCase(
    kind: HostileKind,
    atOnce: number,
    act: (name: string, hostile: HostileCase) => Promise<void>,
  ): Promise<void> {
    const cases = Object.entries(hostileCases(kind));
    const next = async (): Promise<void> => {
      const [name, hostile] = cases.shift() ?? [];
      if (name === undefined || hostile === undefined) return;
      await act(name, hostile);
      const { lost } = viewer.verifier;
      expect({ name, lost }).toEqual({ name, lost: 0 });
      await next();
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }

  /** Asks for a hostile server's answer, and stays until that is over. */
  async function ask(scheme: "rtsp" | "http" | "https", name: string): Promise<void> {
    const { plain, tls, raw } = await peerPorts;
    const port = raw[name] ?? (scheme === "https" ? tls : plain);
    using client = await HttpClient.connect(sluice);
    client.stream(() => {});
    client.request("GET", `/${scheme}/127.0.0.1:${port}/${name}`);
    await until(() => client.state !== "open", CASE_MS, `the end of ${name}`);
  }

  /** Lets the peer do something so many times at once, and waits until all of it is over. */
  async function order(what: HostileOrder, times: number): Promise<void> {
    const wanted = sent.length + times;
    for (let i = 0; i < times; i++) peer.send(what);
    await until(() => sent.length >= wanted, CASE_MS, `all of ${what.name} to be sent`);
  }

  /** Loads a list with SIGHUP, and waits until the log has told so often what became of it. */
  async function load(url: string, outcome: RegExp, count = 1): Promise<void> {
    const since = sluice.log.length;
    configure(sluice.port, [url]);
    process.kill(sluice.pid, "SIGHUP");
    await sluice.waitForLog(outcome, { since, count, ms: LOAD_MS });
  }

  test("RTSP servers", () => forEachCase("rtsp", AT_ONCE, (name) => ask("rtsp", name)), TEST_MS);

  test("HTTP servers", () => forEachCase("http", AT_ONCE, (name) => ask("http", name)), TEST_MS);

  test("HTTPS servers", () => forEachCase("http", AT_ONCE, (name) => ask("https", name)), TEST_MS);

  test("servers that speak no TLS", () => forEachCase("tls", AT_ONCE, (name) => ask("https", name)), TEST_MS);

  // Nothing but the growth itself tells the program to collect: a stream runs, and nothing is reloaded.
  test("memory of servers goes back while a stream runs", untilSmall, TEST_MS);

  test(
    "lists",
    () =>
      forEachCase("lists", 1, async (name) => {
        const url = `http://127.0.0.1:${(await peerPorts).plain}/${name}`;
        await load(url, /External M3U reloaded|M3U fetch failed/);
      }),
    TEST_MS,
  );

  test(
    "guides, joined",
    () =>
      forEachCase("guides", 1, async (name) => {
        const url = `http://127.0.0.1:${(await peerPorts).plain}/${name}`;
        writeFileSync(listFile, `#EXTM3U x-tvg-url="${url},${url}?again"\n#EXTINF:-1,a\nrtp://239.1.1.1:1\n`);
        await load(`file://${listFile}`, /EPG data of .* is incomplete|EPG fetch failed/, 2);
      }),
    TEST_MS,
  );

  test(
    "datagrams",
    () =>
      forEachCase("datagrams", 1, async (name, { isForeign }) => {
        if (isForeign) {
          await order({ kind: "datagrams", name, host: channel.group, port: channel.port }, 1);
          return;
        }
        const [host, port] = [uniqueGroup(), await freeUdpPort()];
        using client = await HttpClient.connect(sluice);
        client.stream(() => {});
        const since = sluice.log.length;
        client.request("GET", `/rtp/${host}:${port}`);
        await sluice.waitForLog(new RegExp(`Joined rtp://${host}:${port}`), { since });
        await order({ kind: "datagrams", name, host, port }, 1);
      }),
    TEST_MS,
  );

  test(
    "requests",
    async () => {
      const programmes = `<programme start="1" channel="a"><title>A</title></programme>`.repeat(PROGRAMMES);
      const guideFile = join(directory, "guide.xml");
      writeFileSync(guideFile, `<tv>${programmes}</tv>`);
      const channels = Array.from({ length: CHANNELS }, (_, i) => `#EXTINF:-1,Channel ${i}\nrtp://239.1.1.1:1`);
      writeFileSync(listFile, [`#EXTM3U x-tvg-url="file://${guideFile}"`, ...channels, ""].join("\n"));
      await load(`file://${listFile}`, /EPG data cached/);
      await forEachCase("requests", 1, (name, { clients = CLIENTS }) =>
        order({ kind: "requests", name, host: "127.0.0.1", port: sluice.port }, clients),
      );
    },
    TEST_MS,
  );

  test(
    "leave nothing behind",
    async () => {
      configure(sluice.port, []);
      process.kill(sluice.pid, "SIGHUP");
      await untilSmall();
      peer.kill();
      await peer.exited;
      isWatching = false;
      viewer[Symbol.dispose]();
      await until(async () => (await openFiles()) <= idleFiles, WAIT_MS, "all files to be closed");
      expect(sluice.log.filter((line) => /Spawned worker|answered nothing|died while|exited with/.test(line))).toEqual([
        expect.stringContaining("Spawned worker"),
      ]);
      expect(sluice.log.filter((line) => /uncaught|unhandled|TypeError|RangeError/i.test(line))).toEqual([]);
    },
    TEST_MS,
  );
});
