import { expect, test } from "bun:test";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { DATAGRAM_BYTES, RtpFeed } from "../../src/demo/rtp-feed.ts";
import { ClipLoop, parseLoopClip } from "../../src/wire/mpegts/loop.ts";
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../src/wire/mpegts/packet.ts";
import { RTP_HEADER_BYTES } from "../../src/wire/rtp/packet.ts";

const CLIP_TICKS = 16 * 90_000;

const clip = parseLoopClip(await Bun.file(MULTICAST_CHANNELS[0]!.clip).bytes(), CLIP_TICKS)!;
const TICK = 900;

/** The datagrams of a feed that is asked every 10 ms of media time. */
function run(untilTicks: number): { datagram: Buffer; sentTicks: number }[] {
  const sent: { datagram: Buffer; sentTicks: number }[] = [];
  let now = 0;
  const feed = new RtpFeed(clip, (datagram) => sent.push({ datagram: Buffer.from(datagram), sentTicks: now }));
  for (; now <= untilTicks; now += TICK) feed.advance(now);
  return sent;
}

test("two and a half repetitions make one RTP stream", () => {
  const sent = run(2.5 * CLIP_TICKS);
  const first = sent[0]!.datagram;
  for (const [i, { datagram }] of sent.entries()) {
    expect(datagram.length).toBe(DATAGRAM_BYTES);
    expect(datagram.subarray(0, 2).toString("hex")).toBe("8021");
    expect(datagram.readUInt16BE(2)).toBe((first.readUInt16BE(2) + i) & 0xffff);
    expect(datagram.readUInt32BE(8)).toBe(first.readUInt32BE(8));
  }
  const media = sent.map(({ datagram }) => datagram.subarray(RTP_HEADER_BYTES));
  const loop = new ClipLoop(clip);
  const expected = Buffer.alloc(media.length * 7 * TS_PACKET_BYTES);
  for (let at = 0; at < expected.length; at += TS_PACKET_BYTES) loop.emitNext(expected, at);
  expect(Buffer.concat(media).equals(expected)).toBe(true);
  expect(expected[0]).toBe(TS_SYNC_BYTE);
});

test("a datagram carries the due time of its first packet and leaves when the last is due", () => {
  const loop = new ClipLoop(clip);
  const scratch = new Uint8Array(TS_PACKET_BYTES);
  const sent = run(1.5 * CLIP_TICKS);
  const firstTimestamp = sent[0]!.datagram.readUInt32BE(4);
  for (const { datagram, sentTicks } of sent) {
    const dues = Array.from({ length: 7 }, () => {
      const due = loop.nextDueTicks();
      loop.emitNext(scratch, 0);
      return due;
    });
    const elapsed = (datagram.readUInt32BE(4) - firstTimestamp) >>> 0;
    expect(Math.abs(elapsed - dues[0]!)).toBeLessThanOrEqual(1);
    expect(sentTicks).toBeWithin(dues[6]!, dues[6]! + TICK);
  }
});

test("sends nothing before it is due", () => {
  expect(run(0)).toEqual([]);
});
