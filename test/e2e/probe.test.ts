/** `sluice probe`: what it tells of upstreams of each protocol, with known faults (health.md section 7). */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProbeResult } from "../../src/probe/result.ts";
import { packetId } from "../../src/wire/mpegts/packet.ts";
import { FccService } from "../fakes/fcc-service.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { spoil } from "../fakes/spoiler.ts";
import { MUX_VIDEO_PID, muxPackets } from "../fakes/ts-mux.ts";
import { until } from "../fakes/until.ts";
import { builtBinary } from "./binary.ts";
import { Channel, ON_LOOPBACK } from "./channel.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const TIMEOUT_MS = 60_000;
const WAIT_MS = 20_000;
const NAME = [...Buffer.from("\x15Eins")];
const SERVICE = [1, 3, 0x41, 0x52, 0x44, NAME.length, ...NAME];

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "probe-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: readonly string[], args: readonly string[]) {
  const { NODE_ENV: _, ...env } = process.env;
  const child = Bun.spawn([...program, "probe", ...args], {
    cwd: directory,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outcome = async (): Promise<Outcome> => {
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    const [stdout = "", stderr = ""] = await Promise.all(texts);
    return { status: await child.exited, stdout, stderr };
  };
  return { child, outcome: outcome() };
}

const fromSource = [process.execPath, MAIN];

function probe(...args: readonly string[]): Promise<Outcome> {
  return start(fromSource, ["-C", ...args]).outcome;
}

function resultIn({ stdout, stderr }: Outcome): ProbeResult {
  if (!stdout.startsWith("{")) throw new Error(`no JSON: ${stdout} ${stderr}`);
  return JSON.parse(stdout);
}

/** Answers each of these paths. */
function server(answers: Readonly<Record<string, () => Response>>) {
  const listening = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => answers[new URL(url).pathname]?.() ?? new Response("none", { status: 404 }),
  });
  return { url: `http://127.0.0.1:${listening.port}`, [Symbol.dispose]: () => void listening.stop(true) };
}

const isPlainVideo = (packet: Uint8Array) =>
  packetId(packet, 0) === MUX_VIDEO_PID && packet[3]! >> 4 === 1 && (packet[1]! & 0x40) === 0;

test(
  "tells exactly what is wrong with a stream from an HTTP server, behind redirects",
  async () => {
    const faults = { remove: 3, repeat: 2, swap: 1, scramble: 4, mark: 2, desync: 1 };
    const bytes = Buffer.concat(
      spoil(muxPackets({ ms: 6000, nullEvery: 10, service: SERVICE }), 3, faults, isPlainVideo),
    );
    using http = server({
      "/start": () => new Response(null, { status: 302, headers: { Location: "/stream" } }),
      "/stream": () => new Response(bytes),
    });
    const outcome = await probe(`${http.url}/start`, "--json", "--seconds", "5");
    const { plays, reason, upstream, findings } = resultIn(outcome);
    expect({ plays, reason, status: outcome.status }).toEqual({ plays: true, reason: "", status: 0 });
    expect(upstream).toMatchObject({
      kind: "http",
      totalBytes: bytes.length,
      tsContinuityErrors: 3 + 3 + 2,
      health: {
        tsPackets: 6000 - 3 + 2 - 1,
        scrambledPackets: 4,
        transportErrors: 2,
        syncLosses: 1,
        nullPackets: 600,
        patErrors: 0,
        programmes: [{ number: 1, name: "Eins", provider: "ARD", streams: [{ pid: MUX_VIDEO_PID, codec: "H.264" }] }],
      },
    });
    expect(findings).toContain("the stream lost its synchronisation 1 time");
  },
  TIMEOUT_MS,
);

test.each<[string, () => Response, RegExp]>([
  ["an error", () => new Response("no", { status: 403 }), /the server answers with status 403/],
  ["a playlist", () => new Response("#EXTM3U\n#EXTINF:1,\na.ts\n"), /no MPEG-TS: it is a playlist \(HLS\)/],
  ["a page", () => new Response("<!doctype html>log in"), /no MPEG-TS: it is a page/],
  ["nothing", () => new Response(""), /ends the stream before any media/],
  [
    "no tables",
    () => new Response(Buffer.concat(muxPackets({ ms: 500, patEvery: 0, pmtEvery: 0 }))),
    /no programme table/,
  ],
  [
    "what is scrambled",
    () => new Response(Buffer.concat(muxPackets({ ms: 500 }).map((packet) => scrambled(packet)))),
    /scrambled/,
  ],
])(
  "says why %s does not play",
  async (_, answer, reason) => {
    using http = server({ "/": answer });
    const { status, stdout } = await probe(`${http.url}/`, "--seconds=1");
    expect(status).toBe(1);
    expect(stdout).toMatch(/Result +does not play: /);
    expect(stdout).toMatch(reason);
    expect(stdout).not.toContain("\x1b");
  },
  TIMEOUT_MS,
);

function scrambled(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  if (packetId(copy, 0) === MUX_VIDEO_PID) copy[3]! |= 0xc0;
  return copy;
}

for (const variant of ["source", "binary"] as const) {
  test(
    `counts what RTP loses, repeats and mixes up (${variant})`,
    async () => {
      const program = variant === "source" ? fromSource : [await builtBinary(MAIN)];
      const fault = (index: number) =>
        index === 60 || index === 120
          ? "drop"
          : index === 90
            ? "duplicate"
            : index === 150
              ? { delayBy: 1 }
              : undefined;
      using channel = await Channel.open({ fault });
      const args = ["-C", ...ON_LOOPBACK, `rtp://${channel.address}`, "--seconds", "2", "--json"];
      const { outcome } = start(program, args);
      await until(() => channel.members > 0, WAIT_MS, "the probe to join");
      channel.sender.start(2_000_000);
      const result = resultIn(await outcome);
      channel.sender.pause();
      expect(result).toMatchObject({
        plays: true,
        upstream: {
          ...{ kind: "multicast", rtpLost: 2, rtpDuplicates: 1, rtpReordered: 1, interface: "lo" },
          health: { kernelDrops: 0, rtpSenderChanges: 0, syncLosses: 0, transportErrors: 0 },
        },
      });
      expect(result.findings).toContainEqual(expect.stringMatching(/^2 RTP packets lost before this machine/));
      await channel.untilLeft();
    },
    4 * TIMEOUT_MS,
  );
}

test(
  "finds a channel of the playlist by its name, and names similar ones",
  async () => {
    using channel = await Channel.sending({ carrier: "udp" });
    const config = join(directory, "sluice.conf");
    writeFileSync(config, `[services]\n#EXTM3U\n#EXTINF:-1 group-title="News",Eins HD\nudp://${channel.address}\n`);
    const args = ["-c", config, ...ON_LOOPBACK, "--seconds", "1"];
    const found = await start(fromSource, [...args, "--json", "News/Eins HD"]).outcome;
    expect(found.status).toBe(0);
    expect(resultIn(found).upstream.url).toBe(`udp://${channel.address}`);
    const missed = await start(fromSource, [...args, "eins"]).outcome;
    expect(missed).toMatchObject({ status: 1, stdout: "" });
    expect(missed.stderr).toContain('none of the 1 channels is called "eins"; there are "News/Eins HD"');
  },
  TIMEOUT_MS,
);

test(
  "opens a group by fast channel change, as a client would",
  async () => {
    using service = await FccService.open();
    const url = service.path().replace("/rtp/", "rtp://");
    const outcome = await probe(...ON_LOOPBACK, url, "--json", "--seconds", "2");
    const { plays, upstream } = resultIn(outcome);
    expect(plays).toBe(true);
    expect(upstream.fcc).toMatchObject({ state: "mcast-active", gapPackets: 0 });
    expect(upstream).toMatchObject({ rtpLost: 0, tsContinuityErrors: 0, health: { pcrJumps: 0, syncLosses: 0 } });
  },
  TIMEOUT_MS,
);

test.each(["tcp", "udp"] as const)(
  "plays a session of an RTSP server over %s, and tells it the end",
  async (transport) => {
    using rtsp = await RtspServer.open({ transport });
    const outcome = await probe(`rtsp://127.0.0.1:${rtsp.port}/live`, "--json", "--seconds", "1");
    expect(resultIn(outcome)).toMatchObject({ plays: true, upstream: { kind: `rtsp-${transport}`, rtpLost: 0 } });
    expect(rtsp.requests.map(({ method }) => method)).toContain("TEARDOWN");
  },
  TIMEOUT_MS,
);

test(
  "tells that nothing came",
  async () => {
    using channel = await Channel.open();
    const { status, stdout } = await probe(...ON_LOOPBACK, `rtp://${channel.address}`);
    expect(status).toBe(1);
    expect(stdout).toMatch(/does not play: .*no media after joining/);
  },
  TIMEOUT_MS,
);

test(
  "an interrupt ends it with what was seen",
  async () => {
    using channel = await Channel.sending();
    const { child, outcome } = start(fromSource, [
      "-C",
      ...ON_LOOPBACK,
      `rtp://${channel.address}`,
      "--json",
      "--seconds",
      "600",
    ]);
    await until(() => channel.members > 0, WAIT_MS, "the probe to join");
    child.kill("SIGINT");
    // Whether media had come by then is chance.
    const result = resultIn(await outcome);
    expect(result.upstream.kind).toBe("multicast");
    expect(result.seconds).toBeLessThan(600);
  },
  TIMEOUT_MS,
);
