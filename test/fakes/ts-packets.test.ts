/** The verifiable packets are valid MPEG-TS and say what they are. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { PAT_PID, PMT_PID, readTsPacket, TS_PACKET_BYTES, tsPacket, tsPackets, VIDEO_PID } from "./ts-packets.ts";

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const pidOf = (packet: Uint8Array) => ((packet[1]! & 0x1f) << 8) | packet[2]!;

test("a packet is read back with its stream and counter", () => {
  fc.assert(
    fc.property(uint32, uint32, (streamId, counter) => {
      expect(readTsPacket(tsPacket({ streamId }, counter))).toMatchObject({ streamId, counter });
    }),
  );
});

test("any changed bit is noticed", () => {
  fc.assert(
    fc.property(uint32, fc.nat(TS_PACKET_BYTES - 1), fc.nat(7), (counter, byte, bit) => {
      const packet = tsPacket({ streamId: 1 }, counter);
      packet[byte]! ^= 1 << bit;
      expect(readTsPacket(packet)).toBeUndefined();
    }),
  );
});

test("random and truncated bytes are no packet", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(TS_PACKET_BYTES - 1), (bytes, length) => {
      expect(readTsPacket(bytes)).toBeUndefined();
      expect(readTsPacket(tsPacket({ streamId: 1 }, 5).subarray(0, length))).toBeUndefined();
    }),
  );
});

test("each interval begins with PAT, PMT and a random access point", () => {
  const stream = { streamId: 1, interval: 10 };
  const kinds = Array.from({ length: 20 }, (_, counter) => readTsPacket(tsPacket(stream, counter))?.kind);
  expect(kinds.slice(0, 4)).toEqual(["pat", "pmt", "random-access", "video"]);
  expect(kinds.slice(10)).toEqual(kinds.slice(0, 10));
  expect(kinds.filter((kind) => kind === "random-access")).toHaveLength(2);
  expect(readTsPacket(tsPacket({ ...stream, randomAccess: false }, 2))?.kind).toBe("video");
});

test("continuity counters count up by one on each PID", () => {
  const packets = tsPackets({ streamId: 1, interval: 7 }, 0, 300);
  const last = new Map<number, number>();
  for (let at = 0; at < packets.length; at += TS_PACKET_BYTES) {
    const packet = packets.subarray(at);
    const continuity = packet[3]! & 0x0f;
    const previous = last.get(pidOf(packet));
    if (previous !== undefined) expect(continuity).toBe((previous + 1) & 0x0f);
    last.set(pidOf(packet), continuity);
  }
  expect([...last.keys()].sort((a, b) => a - b)).toEqual([PAT_PID, PMT_PID, VIDEO_PID]);
});
