import { expect, test } from "bun:test";
import { loadClip, PROTECTED_CHANNEL } from "../../src/demo/channels.ts";
import { PacketHistory } from "../../src/demo/packet-history.ts";
import { RtpFeed } from "../../src/demo/rtp-feed.ts";
import { isRandomAccess, PAT_PID, packetId, TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";

const HISTORY_DATAGRAMS = 128;

const clip = await loadClip(PROTECTED_CHANNEL);
const VIDEO_PID = 0x100;
const SECONDS = 10;

function cellsOf(datagram: Uint8Array): Uint8Array[] {
  return Array.from({ length: 7 }, (_, i) => datagram.subarray(12 + i * TS_PACKET_BYTES));
}

test("keeps the last datagrams, and knows the table before the last key frame", () => {
  const history = new PacketHistory();
  const sent: Buffer[] = [];
  const entries = new Set<number>();
  const feed = new RtpFeed(clip, (datagram) => {
    sent.push(Buffer.from(datagram));
    history.add(datagram, sent.length * 10);
    datagram.fill(0);
    expect(history.end).toBe(sent.length);
    entries.add(history.entry!);
  });
  feed.advance(SECONDS * 90_000);
  for (let number = sent.length - HISTORY_DATAGRAMS; number < sent.length; number++) {
    expect(sent[number]!.equals(history.datagram(number))).toBe(true);
    expect(history.sentMs(number)).toBe((number + 1) * 10);
  }
  expect([...entries]).toHaveLength(SECONDS);
  for (const entry of entries) {
    const cells = [...cellsOf(sent[entry]!), ...cellsOf(sent[entry + 1]!)];
    const fromTable = cells.slice(cells.findIndex((cell) => packetId(cell, 0) === PAT_PID));
    const picture = fromTable.find((cell) => packetId(cell, 0) === VIDEO_PID)!;
    expect(isRandomAccess(picture, 0)).toBe(true);
  }
});

test("knows no key frame before the first", () => {
  expect(new PacketHistory().entry).toBeUndefined();
});
