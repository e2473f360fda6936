import { describe, expect, test } from "bun:test";
import {
  type DemoChannel,
  HTTP_CHANNEL,
  loadClip,
  MULTICAST_CHANNELS,
  PROTECTED_CHANNEL,
  RTSP_CHANNEL,
} from "../../src/demo/channels.ts";
import { ClipLoop } from "../../src/wire/mpegts/loop.ts";
import { isRandomAccess, packetId, TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";

const CLIP_TICKS = 16 * 90_000;

const ALL = [...MULTICAST_CHANNELS, RTSP_CHANNEL, HTTP_CHANNEL, PROTECTED_CHANNEL];
const MAX_CLIP_BYTES_TOGETHER = 3_000_000;
/** The PID that ffmpeg gives the first elementary stream, here the picture. */
const VIDEO_PID = 0x100;
const REPETITIONS = 2;
const hasFfmpeg = Bun.which("ffmpeg") !== null && Bun.which("ffprobe") !== null;

async function playRepetitions(channel: DemoChannel): Promise<Uint8Array> {
  const clip = await loadClip(channel);
  const loop = new ClipLoop(clip);
  const played = new Uint8Array(clip.bytes.length * REPETITIONS);
  for (let at = 0; at < played.length; at += TS_PACKET_BYTES) loop.emitNext(played, at);
  return played;
}

async function run(
  command: string[],
  stdin: Uint8Array,
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const child = Bun.spawn(command, { stdin, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, exitCode };
}

test("channels differ in number, name, clip and group", () => {
  for (const key of ["number", "name", "clip"] as const) {
    expect(new Set(ALL.map((channel) => channel[key])).size).toBe(6);
  }
  expect(new Set([...MULTICAST_CHANNELS, PROTECTED_CHANNEL].map(({ group }) => group)).size).toBe(4);
});

test("all clips together stay small", () => {
  const bytes = ALL.reduce((sum, { clip }) => sum + Bun.file(clip).size, 0);
  expect(bytes).toBeWithin(1, MAX_CLIP_BYTES_TOGETHER);
});

describe.each(ALL.map((channel) => [channel.name, channel] as const))("%s", (name, channel) => {
  test("opens with a programme table and has a random access point each second", async () => {
    const { bytes, dueTicks } = await loadClip(channel);
    const accessPoints: number[] = [];
    const tables: number[] = [];
    for (const [i, due] of dueTicks.entries()) {
      const offset = i * TS_PACKET_BYTES;
      if (packetId(bytes, offset) === VIDEO_PID && isRandomAccess(bytes, offset)) accessPoints.push(due);
      if (packetId(bytes, offset) === 0) tables.push(due);
    }
    expect(accessPoints).toEqual(Array.from({ length: 16 }, (_, second) => second * 90_000));
    const gaps = tables.map((due, i) => (tables[i + 1] ?? CLIP_TICKS) - due);
    expect([tables[0], Math.max(...gaps) <= 0.1 * 90_000]).toEqual([0, true]);
  });

  test.skipIf(!hasFfmpeg)("plays repeatedly without an error of the decoder", async () => {
    const command = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-f", "mpegts", "-i", "-", "-f", "null", "-"];
    const { stderr, exitCode } = await run(command, await playRepetitions(channel));
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  test.skipIf(!hasFfmpeg)("its frames follow each other at even distances across the seam", async () => {
    const entries = "program_tags=service_name:packet=codec_type,dts,duration";
    const command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", "-f", "mpegts", "-"];
    const { stdout } = await run(command, await playRepetitions(channel));
    const probe = JSON.parse(stdout);
    expect(probe.programs[0].tags.service_name).toBe(name);
    for (const [type, frames, ticks] of [["video", 400, 3600] as const, ["audio", 750, 1920] as const]) {
      const dts: number[] = [];
      for (const packet of probe.packets) if (packet.codec_type === type) dts.push(packet.dts);
      expect(dts).toEqual(Array.from({ length: frames * REPETITIONS }, (_, i) => dts[0]! + i * ticks));
    }
  });
});
