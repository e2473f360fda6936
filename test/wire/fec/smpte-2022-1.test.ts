import { expect, test } from "bun:test";
import fc from "fast-check";
import { emitXorParity, emptyXorParity, parseXorParity, XorRecovery } from "../../../src/wire/fec/smpte-2022-1.ts";
import { plainPacket, smpteDatagram } from "../../fakes/fec-encoder.ts";

/** The packets of a row or a column, and which of them is lost. */
const line = fc
  .record({
    payloads: fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 20 }),
    stride: fc.integer({ min: 1, max: 255 }),
    first: fc.integer({ min: 0, max: 65535 }),
    isRow: fc.boolean(),
    lost: fc.nat(),
  })
  .map(({ payloads, first, ...shape }) => {
    const stride = shape.isRow ? 1 : shape.stride;
    const packets = payloads.map((payload, i) => plainPacket(payload, (first + i * stride) & 0xffff));
    return { packets, first, isRow: shape.isRow, stride, lost: shape.lost % packets.length };
  });

test("what is emitted is as the definition says, and is parsed", () => {
  fc.assert(
    fc.property(line, ({ packets, stride, isRow, first }) => {
      const emitted = emitXorParity(packets, { stride, isRow }, 0);
      expect(Buffer.compare(emitted, smpteDatagram(packets, stride, isRow))).toBe(0);
      const into = emptyXorParity();
      expect(parseXorParity(emitted, 0, emitted.length, into)).toBe(true);
      const payloadLength = emitted.length - 28;
      expect(into).toMatchObject({
        base: first,
        stride,
        isRow,
        count: packets.length,
        payloadStart: 28,
        payloadLength,
      });
    }),
  );
});

test("the one that is missing comes back, whatever its length and header", () => {
  fc.assert(
    fc.property(line, fc.uint8Array({ minLength: 20, maxLength: 20 }), ({ packets, stride, isRow, lost }, flags) => {
      // Padding, extension, CSRC count, marker and type differ, too.
      packets.forEach((packet, i) => {
        packet[0] = 0x80 | (flags[i]! & 0x3f);
        packet[1] = flags[i]! ^ 33;
      });
      const emitted = emitXorParity(packets, { stride, isRow }, 0);
      const parity = emptyXorParity();
      expect(parseXorParity(emitted, 0, emitted.length, parity)).toBe(true);
      const into = new Uint8Array(12 + parity.payloadLength);
      const recovery = new XorRecovery(parity, emitted, into);
      packets.forEach((packet, i) => {
        if (i !== lost) expect(recovery.add(packet, packet.length)).toBe(true);
      });
      const missing = packets[lost]!;
      const length = recovery.finish((missing[2]! << 8) | missing[3]!);
      expect(Buffer.compare(into.subarray(0, length), missing)).toBe(0);
    }),
  );
});

test("parity of other packets is noticed where it shows", () => {
  const packets = [10, 10, 10].map((length, i) => plainPacket(new Uint8Array(length), i));
  const emitted = emitXorParity(packets, { stride: 1, isRow: true }, 0);
  const parity = emptyXorParity();
  parseXorParity(emitted, 0, emitted.length, parity);
  const recovery = () => new XorRecovery(parity, emitted, new Uint8Array(12 + parity.payloadLength));
  expect(recovery().add(new Uint8Array(30), 30)).toBe(false);
  // With all three added, nothing is left to be missing.
  const all = recovery();
  for (const packet of packets) all.add(packet, packet.length);
  expect(all.finish(0)).toBe(0);
  const longer = recovery();
  longer.add(packets[0]!.subarray(0, 16), 16);
  longer.add(packets[1]!.subarray(0, 13), 13);
  expect(longer.finish(0)).toBe(0);
});

test.each<[string, (datagram: Uint8Array) => void]>([
  ["without its extension flag", (datagram) => (datagram[16]! &= 0x7f)],
  ["with a mask", (datagram) => (datagram[18] = 1)],
  ["of another code", (datagram) => (datagram[24]! |= 0x08)],
  ["without a stride", (datagram) => (datagram[25] = 0)],
  ["of no packets", (datagram) => (datagram[26] = 0)],
  ["of a long sequence number", (datagram) => (datagram[27] = 1)],
  ["of another RTP version", (datagram) => (datagram[0] = 0x40)],
])("a packet %s is none", (_, spoil) => {
  const datagram = smpteDatagram([plainPacket(new Uint8Array(20), 5)], 1, true);
  expect(parseXorParity(datagram, 0, datagram.length, emptyXorParity())).toBe(true);
  spoil(datagram);
  expect(parseXorParity(datagram, 0, datagram.length, emptyXorParity())).toBe(false);
});

test("random and truncated bytes never throw", () => {
  const into = emptyXorParity();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.uint8Array({ minLength: 15, maxLength: 15 }), fc.uint8Array({ maxLength: 20 }))
      .map(([head, tail]) => Uint8Array.of(0x80, ...head, 0xa1, 0, 0, 0, 1, 2, 3, 4, 0, 5, 5, 0, ...tail)),
  );
  fc.assert(
    fc.property(bytes, (random) => {
      if (parseXorParity(random, 0, random.length, into)) {
        expect(into.payloadStart + into.payloadLength).toBe(random.length);
      }
    }),
  );
});

test("parity of a line of which nothing is missing says whether it is its", () => {
  const packets = [1, 2, 3, 4].map((byte, i) => plainPacket(new Uint8Array(20).fill(byte), i));
  const emitted = emitXorParity(packets.slice(0, 3), { stride: 1, isRow: true }, 0);
  const parity = emptyXorParity();
  parseXorParity(emitted, 0, emitted.length, parity);
  const added = (...line: (Uint8Array | undefined)[]) => {
    const recovery = new XorRecovery(parity, emitted, new Uint8Array(12 + parity.payloadLength));
    for (const packet of line) recovery.add(packet!, packet!.length);
    return [recovery.isTheirs, recovery.hasTheirTimestamps];
  };
  expect(added(packets[0], packets[1], packets[2])).toEqual([true, true]);
  expect(added(packets[0], packets[1], packets[3])).toEqual([false, false]);
  packets[1]![7]! ^= 1;
  expect(added(packets[0], packets[1], packets[2])).toEqual([true, false]);
});
