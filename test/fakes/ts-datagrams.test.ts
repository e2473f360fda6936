/** Datagrams carry the stream, RTP headers are well formed, and faults do what they say. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { type DatagramOptions, DatagramSource, type Fault, rtpPacket } from "./ts-datagrams.ts";
import { TsVerifier } from "./ts-verifier.ts";

/** An independent reading of RFC 3550 section 5.1. */
function parseRtp(packet: Uint8Array) {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const first = view.getUint8(0);
  let offset = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) offset += 4 + 4 * view.getUint16(offset + 2);
  const padding = (first & 0x20) !== 0 ? packet.at(-1)! : 0;
  return {
    version: first >> 6,
    marker: view.getUint8(1) >> 7 === 1,
    payloadType: view.getUint8(1) & 0x7f,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    payload: packet.subarray(offset, packet.length - padding),
  };
}

function collect(options: DatagramOptions, count: number): Uint8Array[] {
  const source = new DatagramSource(options);
  return Array.from({ length: count }, () => source.next()).flat();
}

test("an RTP packet of any shape holds its payload", () => {
  const shape = fc.record({
    padding: fc.nat(255),
    csrcs: fc.nat(15),
    extensionWords: fc.nat(20),
    marker: fc.boolean(),
    payloadType: fc.nat(127),
  });
  const uint16 = fc.nat(65_535);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), uint16, fc.nat(), shape, (payload, sequence, timestamp, options) => {
      const { marker, payloadType } = options;
      const parsed = parseRtp(rtpPacket(payload, sequence, timestamp, options));
      expect(parsed).toEqual({ version: 2, marker, payloadType, sequence, timestamp, payload });
    }),
  );
});

test("bare UDP and RTP carry the same stream", () => {
  const options = { streamId: 3, firstCounter: 100, firstSequence: 65_534 };
  const bare = collect({ ...options, carrier: "udp" }, 4);
  const rtp = collect({ ...options, carrier: "rtp" }, 4).map(parseRtp);
  expect(rtp.map(({ payload }) => payload)).toEqual(bare);
  expect(rtp.map(({ sequence }) => sequence)).toEqual([65_534, 65_535, 0, 1]);
  expect(rtp.map(({ payloadType }) => payloadType)).toEqual([33, 33, 33, 33]);
  const verifier = new TsVerifier(3);
  for (const datagram of bare) verifier.push(datagram);
  expect(verifier.counts).toMatchObject({ packets: 28, first: 100, lost: 0, stray: 0 });
});

test("faults drop, double and delay single datagrams", () => {
  const faults: Record<number, Fault> = { 1: "drop", 2: "duplicate", 4: { delayBy: 1 }, 7: { delayBy: 2 } };
  const datagrams = collect({ streamId: 1, carrier: "rtp", fault: (index) => faults[index] }, 11);
  const sequences = datagrams.map((datagram) => parseRtp(datagram).sequence);
  expect(sequences).toEqual([0, 2, 2, 3, 5, 4, 6, 8, 9, 7, 10]);
});

test("shapes apply to the packets they are given for", () => {
  const shape = (index: number) => (index === 1 ? { padding: 4, marker: true } : undefined);
  const datagrams = collect({ streamId: 1, carrier: "rtp", shape, tsPacketsPerDatagram: 1 }, 3);
  expect(datagrams.map(({ length }) => length)).toEqual([200, 204, 200]);
  expect(datagrams.map((datagram) => parseRtp(datagram).marker)).toEqual([false, true, false]);
});
