/**
 * The demo, watched with programs we did not write: ffmpeg, ffprobe and curl. Its groups are the same on every machine,
 * so it runs in a network namespace, where no other demo is.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { TransportHealth } from "../../src/wire/mpegts/health.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { describeInNamespace } from "../fakes/namespace.ts";
import { TS_PACKET_BYTES } from "../fakes/ts-packets.ts";
import { until } from "../fakes/until.ts";
import { answerTo } from "./channel.ts";
import { forVariant, type Sluice, type Start } from "./harness.ts";
import { soakMs } from "./soak.ts";

const CHANNELS = ["sluice one", "sluice two", "sluice three", "sluice four", "sluice five", "sluice six"];
/** The clips begin anew after 16 s. A namespace lasts for a minute. */
const CLIP_S = 16;
const RECORD_S = Math.min(soakMs(2000), 45_000) / 1000;
const TEST_MS = RECORD_S * 1000 + 10_000;
/** Unix time in s: a clip begins anew in the middle of what is recorded from then on. */
const BEFORE_SEAM = CLIP_S * 100_000_000 - Math.floor(RECORD_S / 2);
/** ffmpeg would look at 5 s before it begins. */
const PROBE = ["-analyzeduration", "1000000"];
const WAIT_MS = 20_000;
/** What our client names. */
const HOST = "http://test";
/** Without these ffmpeg passes over much that a television would show. */
const STRICT = ["-xerror", "-err_detect", "crccheck+bitstream+buffer+explode"];
/** The first channels are multicast groups. */
const GROUPS = 3;
/** Of all clips. */
const VIDEO_PID = 0x100;
const TRANSFER_STARTED_AND_TIMED_OUT = 28;

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...command: string[]): Promise<Outcome> {
  const env = { PATH: process.env["PATH"], no_proxy: "*" };
  const child = Bun.spawn(command, { env, stdio: ["ignore", "pipe", "pipe"] });
  const [status, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { status, stdout, stderr };
}

/** Records so many seconds, both as they come and decoded. */
function record(url: string): Promise<Outcome> {
  const [asItComes, decoded] = [
    ["-c", "copy", "-f", "mpegts", "/dev/null"],
    ["-f", "null", "-"],
  ].map((output) => ["-t", `${RECORD_S}`, "-map", "0", ...output]);
  return run("ffmpeg", "-nostdin", "-y", "-v", "warning", ...STRICT, ...PROBE, "-i", url, ...asItComes!, ...decoded!);
}

interface Watched {
  readonly headers: Headers;
  readonly continuity: TransportHealth;
}

/** Opens a channel, waits for its first key frame, and keeps watching. */
async function keepWatching(sluice: Sluice, path: string): Promise<Watched> {
  const client = await HttpClient.connect(sluice);
  client.request("GET", path);
  const { status, headers } = await client.head();
  expect(status).toBe(200);
  const continuity = new TransportHealth();
  for (let isKey = false; !isKey; ) {
    const packet = await client.read(TS_PACKET_BYTES);
    continuity.look(packet, 0, packet.length, 0);
    isKey = isKeyFrame(packet);
  }
  client.stream((chunk) => continuity.look(chunk, 0, chunk.length, 0));
  return { headers, continuity };
}

interface UpstreamView {
  readonly rtpLost: number;
  readonly rtpRepaired: number;
  readonly fcc: { readonly state: string; readonly gapPackets: number };
}

/** Reads events of the status page until one has such an upstream. */
async function upstreamWhere(sluice: Sluice, isWanted: (upstream: UpstreamView) => boolean): Promise<UpstreamView> {
  const response = await fetch(`${sluice.url}/status/sse`);
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const upstream = (JSON.parse(line.slice(6)).upstreams as UpstreamView[]).find(isWanted);
      if (upstream) return upstream;
    }
  }
  throw new Error("the events have ended");
}

/** Whether a video packet has the random access indicator (ISO/IEC 13818-1, section 2.4.3.5). */
function isKeyFrame(packet: Buffer): boolean {
  const pid = packet.readUInt16BE(1) & 0x1fff;
  const hasAdaptation = (packet[3]! & 0x20) !== 0 && packet[4]! > 0;
  return pid === VIDEO_PID && hasAdaptation && (packet[5]! & 0x40) !== 0;
}

function define(start: Start): void {
  let sluice: Sluice;
  let paths: string[];
  let six: Watched;
  beforeAll(async () => {
    sluice = await start({ command: "demo" });
    const { body } = await answerTo(sluice, "/playlist.m3u");
    paths = [...body.matchAll(/^http:\/\/[^/]+(\/.+)$/gm)].map(([, path]) => path!);
    // Somebody watches the groups already, so that the others begin with a key frame.
    six = await keepWatching(sluice, paths[5]!);
    await Promise.all(paths.slice(0, GROUPS).map((path) => keepWatching(sluice, path)));
  });

  // They watch at the same time.
  describe.concurrent("demo", () => {
    test(
      "ffmpeg records every kind of channel without a complaint, past the point where the clips begin anew",
      async () => {
        const [one, , , rtsp, http, six] = paths.map((path) => sluice.url + path);
        const past = [rtsp, http].map((url) => `${url}/catchup?playseek=${BEFORE_SEAM}`);
        const outcomes = await Promise.all([one!, six!, ...past].map(record));
        expect(outcomes).toEqual(Array(4).fill({ status: 0, stdout: "", stderr: "" }));
      },
      TEST_MS,
    );

    test.each([0, 1, 2, 3, 4, 5])(
      "ffprobe reads channel %d",
      async (index) => {
        const entries = "stream=codec_name,width:program_tags=service_name";
        const command = ["ffprobe", "-v", "warning", ...PROBE, "-show_entries", entries, "-of", "flat"];
        const { status, stdout, stderr } = await run(...command, sluice.url + paths[index]!);
        expect([status, stderr]).toEqual([0, ""]);
        expect(stdout).toContain('codec_name="h264"');
        expect(stdout).toContain("width=640");
        expect(stdout).toContain('codec_name="aac"');
        expect(stdout).toContain(`service_name="${CHANNELS[index]}"`);
      },
      TEST_MS,
    );

    test(
      "the channel with FCC and FEC comes at once, and what its line loses is repaired",
      async () => {
        expect(six.headers.get("r2h-fcc-status")).toBe("active");
        const { rtpLost, fcc } = await upstreamWhere(sluice, ({ rtpRepaired }) => rtpRepaired > 0);
        expect({ rtpLost, ...fcc }).toMatchObject({ rtpLost: 0, state: "mcast-active", gapPackets: 0 });
        expect(six.continuity.continuityErrors).toBe(0);
      },
      TEST_MS + WAIT_MS,
    );

    test("curl gets the head and the bytes", async () => {
      const url = sluice.url + paths[0]!;
      const { status, stdout } = await run("curl", "-sSi", "--max-time", "1", url);
      expect(status).toBe(TRANSFER_STARTED_AND_TIMED_OUT);
      expect(stdout).toStartWith("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\nR2H-");
      expect(stdout).toContain("\r\nR2H-Upstream-Payload: mp2t-rtp\r\n\r\nG@");
      expect(stdout.length).toBeGreaterThan(20_000);
      const head = await run("curl", "-sSI", url);
      expect([head.status, head.stderr]).toEqual([0, ""]);
      expect(head.stdout).toEndWith("\r\nR2H-Upstream-Protocol: multicast\r\n\r\n");
    });

    test("the playlist names a guide and catch-up", async () => {
      const { body } = await answerTo(sluice, "/playlist.m3u");
      expect(body).toStartWith(`#EXTM3U x-tvg-url="${HOST}/epg.xml`);
      const links = [...body.matchAll(/ catchup="default" catchup-days="1" catchup-source="([^"]+)"/g)];
      expect(links.map(([, link]) => link!)).toEqual(
        paths.slice(GROUPS, -1).map((path) => `${HOST}${path}/catchup?playseek={utc:YmdHMS}-{utcend:YmdHMS}`),
      );
      const guide = async () => (await answerTo(sluice, "/epg.xml")).body;
      await until(async () => (await guide()).includes("</tv>"), WAIT_MS, "the guide");
      const names = [...(await guide()).matchAll(/<display-name>([^<]+)<\/display-name>/g)].map(([, name]) => name!);
      expect(names).toEqual(CHANNELS);
    });
  });
}

describeInNamespace(import.meta.path, "demo from its sources", () => forVariant("source", "channels", define));
describeInNamespace(import.meta.path, "demo of the executable", () => forVariant("binary", "channels", define));
