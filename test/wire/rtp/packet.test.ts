import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emitRtpHeader, emptyRtpPacket, isRtp, parseRtp, sequenceDifference } from "../../../src/wire/rtp/packet.ts";
import { rtpPacket } from "../../fakes/ts-datagrams.ts";

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const payloadBytes = fc.uint8Array({ minLength: 1, maxLength: 64 });

function parse(bytes: Uint8Array, offset = 0, length = bytes.length - offset) {
  const packet = emptyRtpPacket();
  return isRtp(bytes, offset, length) && parseRtp(bytes, offset, length, packet) ? packet : undefined;
}

function payloadOf(bytes: Uint8Array): number[] | undefined {
  const packet = parse(bytes);
  return packet && [...bytes.subarray(packet.payloadStart, packet.payloadEnd)];
}

describe("parseRtp", () => {
  test("reads what emitRtpHeader wrote, at any offset", () => {
    fc.assert(
      fc.property(
        fc.record({
          payloadType: fc.integer({ min: 0, max: 127 }),
          sequence: uint16,
          timestamp: uint32,
          ssrc: uint32,
          marker: fc.boolean(),
        }),
        payloadBytes,
        fc.nat(30),
        (header, payload, offset) => {
          const bytes = new Uint8Array(offset + 12 + payload.length + 5).fill(0xff);
          emitRtpHeader(bytes, offset, header);
          bytes.set(payload, offset + 12);
          expect(parse(bytes, offset, 12 + payload.length)).toEqual({
            payloadType: header.payloadType,
            sequence: header.sequence,
            payloadStart: offset + 12,
            payloadEnd: offset + 12 + payload.length,
          });
          const view = new DataView(bytes.buffer, offset);
          expect(view.getUint8(1) >> 7).toBe(header.marker ? 1 : 0);
          expect(view.getUint32(4)).toBe(header.timestamp);
          expect(view.getUint32(8)).toBe(header.ssrc);
        },
      ),
    );
  });

  test("finds the payload behind CSRC list and extension and before padding", () => {
    fc.assert(
      fc.property(
        payloadBytes,
        uint16,
        fc.nat(15),
        fc.option(fc.nat(20), { nil: undefined }),
        fc.nat(255),
        (payload, sequence, csrcs, extensionWords, padding) => {
          const shape = { csrcs, padding, ...(extensionWords !== undefined && { extensionWords }) };
          const bytes = rtpPacket(payload, sequence, 0, shape);
          expect(parse(bytes)?.sequence).toBe(sequence);
          expect(payloadOf(bytes)).toEqual([...payload]);
        },
      ),
    );
  });

  test("refuses a packet that is cut anywhere before its payload", () => {
    const bytes = rtpPacket(Uint8Array.of(1), 7, 0, { csrcs: 3, extensionWords: 2 });
    for (let length = 0; length < bytes.length; length++) expect(parse(bytes.slice(0, length))).toBeUndefined();
    expect(payloadOf(bytes)).toEqual([1]);
  });

  test("refuses padding that leaves no payload, and takes a count of 0 for none", () => {
    const packet = (count: number) => Uint8Array.of(0xa0, 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, count);
    expect(payloadOf(packet(0))).toEqual([9, 9, 0]);
    expect(payloadOf(packet(2))).toEqual([9]);
    for (const count of [3, 4, 15, 16, 255]) expect(payloadOf(packet(count))).toBeUndefined();
  });

  test("refuses an extension that is longer than the packet", () => {
    const bytes = rtpPacket(Uint8Array.of(1, 2, 3, 4), 7, 0, { extensionWords: 1 });
    bytes[15] = 2;
    expect(parse(bytes)).toBeUndefined();
    bytes.fill(0xff, 14, 16);
    expect(parse(bytes)).toBeUndefined();
  });

  test("never throws and never leaves the datagram, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, cut) => {
        if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
        const offset = Math.min(cut, bytes.length);
        const packet = parse(bytes, offset);
        if (!packet) return;
        expect(packet.payloadStart).toBeGreaterThanOrEqual(offset + 12);
        expect(packet.payloadEnd).toBeGreaterThan(packet.payloadStart);
        expect(packet.payloadEnd).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

test("isRtp wants 12 bytes and version 2", () => {
  for (let first = 0; first < 256; first++) {
    const bytes = new Uint8Array(12);
    bytes[0] = first;
    expect(isRtp(bytes, 0, 12)).toBe(first >= 0x80 && first < 0xc0);
    expect(isRtp(bytes, 0, 11)).toBe(false);
  }
});

describe("sequenceDifference", () => {
  test.each([
    [0, 65535, 1],
    [65535, 0, -1],
    [32767, 0, 32767],
    [32768, 0, -32768],
    [5, 5, 0],
  ])("of %d and %d is %d", (a, b, difference) => {
    expect(sequenceDifference(a, b)).toBe(difference);
  });

  test("is what was added, around the circle", () => {
    fc.assert(
      fc.property(uint16, fc.integer({ min: -32768, max: 32767 }), (b, difference) => {
        expect(sequenceDifference((b + difference) & 0xffff, b)).toBe(difference);
      }),
    );
  });
});
