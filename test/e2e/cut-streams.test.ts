/** Transport streams that are cut anywhere, framed by other bytes or sent beside strangers come out whole (multicast.md section 6). */

import { beforeAll, describe, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { rtpPacket } from "../fakes/ts-datagrams.ts";
import { readTsPacket, TS_PACKET_BYTES, TS_SYNC_BYTE, tsPackets } from "../fakes/ts-packets.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const TEST_MS = 60_000;
const PACE_MS = 5;
/** TS packets in each turn: 3 Mb/s. */
const PACKETS_PER_TURN = 10;
const RATE = 8_000_000;

/** What stands before and behind each TS packet. */
type Framing = readonly [before: number, behind: number];

/** Sends one endless transport stream as datagrams of `size` bytes, wherever they begin and end. */
function sendCut(channel: Channel, size: number, [before, behind]: Framing): Disposable {
  let counter = 0;
  let rest = Buffer.alloc(0);
  const timer = setInterval(() => {
    const packets = Buffer.from(tsPackets(channel, counter, PACKETS_PER_TURN));
    counter += PACKETS_PER_TURN;
    const pieces = [rest];
    for (let at = 0; at < packets.length; at += TS_PACKET_BYTES) {
      pieces.push(Buffer.alloc(before, 0x11), packets.subarray(at, at + TS_PACKET_BYTES), Buffer.alloc(behind, 0x22));
    }
    rest = Buffer.concat(pieces);
    for (; rest.length >= size; rest = rest.subarray(size)) channel.sender.sendRaw(rest.subarray(0, size));
  }, PACE_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A sender report (RFC 3550 section 6.4.1). Its length stands where RTP has the sequence number. */
function senderReport(): Uint8Array {
  const report = Buffer.alloc(28);
  report.writeUInt8(0x80, 0);
  report.writeUInt8(200, 1);
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(0x534c4345, 4);
  return report;
}

const STRANGER = { streamId: 0xffff };
const STRANGERS: readonly Uint8Array[] = [
  senderReport(),
  Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9),
  rtpPacket(Buffer.from("<meta name=title>"), 7, 0, { payloadType: 50, ssrc: 0x9999 }),
  rtpPacket(Buffer.from("<meta name=title>"), 30_000, 0, { payloadType: 96 }),
  rtpPacket(tsPackets(STRANGER, 0, 7), 12_345, 0, { ssrc: 0x7777 }),
  Buffer.from("hello"),
  Buffer.from("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"),
];

forEachVariant("streams that are cut or mixed", (start) => {
  let sluice: Sluice;
  beforeAll(async () => {
    sluice = await start({ args: [...ON_LOOPBACK, "-m", "50"] });
  });

  test.concurrent.each<[what: string, size: number, framing: Framing]>([
    ["FFmpeg's own 1472 bytes", 1472, [0, 0]],
    ["512 bytes", 512, [0, 0]],
    ["1024 bytes", 1024, [0, 0]],
    ["1400 bytes", 1400, [0, 0]],
    ["100 bytes", 100, [0, 0]],
    ["seven packets", 1316, [0, 0]],
    ["1472 bytes of packets with parity", 1472, [0, 16]],
    ["six packets with parity", 6 * 204, [0, 16]],
    ["1472 bytes of packets with timestamps", 1472, [4, 0]],
    ["seven packets with timestamps", 7 * 192, [4, 0]],
  ])(
    "datagrams of %s are byte-exact",
    async (_, size, framing) => {
      using channel = await Channel.open({ carrier: "udp" });
      using _sending = sendCut(channel, size, framing);
      using client = await HttpClient.connect(sluice);
      client.request("GET", channel.path);
      expect((await client.head()).status).toBe(200);
      const count = 2000;
      const body = await client.read(count * TS_PACKET_BYTES);
      const { counter } = readTsPacket(body.subarray(0, TS_PACKET_BYTES))!;
      expect(body.equals(tsPackets(channel, counter, count))).toBe(true);
      expect(sluice.log.filter((line) => line.includes(channel.address) && line.includes("lost"))).toEqual([]);
    },
    TEST_MS,
  );

  test.concurrent.each<[carrier: "rtp" | "udp", firstSequence: number]>([
    ["rtp", 1000],
    ["rtp", 40_000],
    ["rtp", 65_500],
    ["udp", 0],
  ])(
    "%s from number %d loses nothing to strangers, and they are told",
    async (carrier, firstSequence) => {
      using channel = await Channel.open({ carrier, firstSequence });
      channel.sender.start(RATE);
      using viewer = await Viewer.open(sluice, channel);
      await viewer.more(100);
      let next = 0;
      const timer = setInterval(() => channel.sender.sendRaw(STRANGERS[next++ % STRANGERS.length]!), 50);
      try {
        await viewer.more(15_000);
      } finally {
        clearInterval(timer);
      }
      expect(next).toBeGreaterThan(2 * STRANGERS.length);
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
      await sluice.waitForLog(new RegExp(`${channel.address}: \\d+ datagrams? that (is|are) not of this stream`));
      const complaints = sluice.log.filter((line) => line.includes(channel.address) && /lost|restarted/.test(line));
      expect(complaints).toEqual([]);
    },
    TEST_MS,
  );

  const canSend = (Bun.which("ffmpeg") !== null && Bun.which("ffprobe") !== null) || process.env["CI"] === "true";
  describe.skipIf(!canSend)("of FFmpeg", () => {
    test.concurrent.each([
      ["as it sends by default", "", []],
      ["in datagrams of 512 bytes", "&pkt_size=512", []],
      ["with timestamps", "", ["-mpegts_m2ts_mode", "1"]],
      ["by RTP", "", ["-f", "rtp_mpegts"]],
    ])(
      "%s is what a player can show",
      async (_, options, format) => {
        using channel = await Channel.open();
        const scheme = format.includes("rtp_mpegts") ? "rtp" : "udp";
        const url = `${scheme}://${channel.address}?localaddr=127.0.0.1&ttl=0${options}`;
        await using _ffmpeg = sendingFfmpeg([
          ...(format.length > 1 ? format : []),
          ...(scheme === "udp" ? ["-f", "mpegts"] : []),
          url,
        ]);
        using client = await HttpClient.connect(sluice);
        client.request("GET", channel.path);
        expect((await client.head(TEST_MS)).status).toBe(200);
        const body = await client.read(400_000, TEST_MS);
        const whole = body.subarray(0, body.length - (body.length % TS_PACKET_BYTES));
        expect(discontinuities(whole)).toEqual([]);
        expect(await packetsOf(whole)).toEqual({ video: expect.any(Number), audio: expect.any(Number) });
      },
      TEST_MS,
    );
  });
});

/** A picture and a tone, in real time. */
function sendingFfmpeg(output: readonly string[]): AsyncDisposable {
  const input = (source: string) => ["-f", "lavfi", "-i", source];
  const codecs = ["-c:v", "mpeg2video", "-b:v", "1500k", "-g", "12", "-c:a", "mp2"];
  const inputs = [...input("testsrc=size=320x180:rate=25"), ...input("sine=440")];
  const child = Bun.spawn(["ffmpeg", "-v", "error", "-re", ...inputs, ...codecs, ...output], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Where packets are out of step, or packets of a PID do not count on (ISO/IEC 13818-1 section 2.4.3.3). */
function discontinuities(stream: Uint8Array): string[] {
  const counters = new Map<number, number>();
  const found: string[] = [];
  for (let at = 0; at < stream.length; at += TS_PACKET_BYTES) {
    if (stream[at] !== TS_SYNC_BYTE) found.push(`no packet at ${at}`);
    const pid = ((stream[at + 1]! & 0x1f) << 8) | stream[at + 2]!;
    const hasPayload = (stream[at + 3]! & 0x10) !== 0;
    const counter = stream[at + 3]! & 0x0f;
    const last = counters.get(pid);
    if (hasPayload && pid !== 0x1fff && last !== undefined && counter !== ((last + 1) & 0x0f))
      found.push(`PID ${pid} at ${at}`);
    if (hasPayload) counters.set(pid, counter);
  }
  return found;
}

/** How many packets of each kind ffprobe finds; it must have nothing to complain of. */
async function packetsOf(stream: Uint8Array): Promise<Record<string, number>> {
  const entries = ["-count_packets", "-show_entries", "stream=codec_type,nb_read_packets", "-of", "json"];
  const child = Bun.spawn(["ffprobe", "-v", "warning", ...entries, "-f", "mpegts", "-"], {
    stdio: [stream, "pipe", "pipe"],
  });
  const [json, complaints] = await Promise.all([new Response(child.stdout).json(), new Response(child.stderr).text()]);
  expect(complaints).toBe("");
  const { streams } = json as { streams: { codec_type: string; nb_read_packets: string }[] };
  return Object.fromEntries(streams.map(({ codec_type, nb_read_packets }) => [codec_type, Number(nb_read_packets)]));
}
