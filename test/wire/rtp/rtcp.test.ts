import { expect, test } from "bun:test";
import fc from "fast-check";
import { emitRtpHeader, RTP_HEADER_BYTES } from "../../../src/wire/rtp/packet.ts";
import { emitReceiverReport, isRtcp } from "../../../src/wire/rtp/rtcp.ts";

test("an empty receiver report", () => {
  expect(Buffer.from(emitReceiverReport()).toString("hex")).toBe("80c9000100000000");
  expect(Buffer.from(emitReceiverReport(0xdeadbeef)).toString("hex")).toBe("80c90001deadbeef");
});

test("what is emitted is RTCP, wherever it lies, unless cut short", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(0xffffffff), fc.nat(8), (offset, ssrc, length) => {
      const bytes = new Uint8Array(40);
      bytes.set(emitReceiverReport(ssrc), offset);
      expect(isRtcp(bytes, offset, length)).toBe(length >= 4);
    }),
  );
});

test.each<[hex: string, expected: boolean]>([
  ["80c80006", true],
  ["81cc0000", true],
  ["80c00000", true],
  ["80df0000", true],
  ["80bf0000", false],
  ["80e00000", false],
  ["80210000", false],
  ["80a10000", false],
  ["40c90001", false],
  ["c0c90001", false],
])("%s: %p", (hex, expected) => {
  expect(isRtcp(Buffer.from(hex, "hex"), 0, 4)).toBe(expected);
});

test("RTP of every payload type that is used beside RTCP is none", () => {
  const bytes = new Uint8Array(RTP_HEADER_BYTES);
  // RFC 5761 section 4 keeps 64 to 95 free, because with a marker they look like RTCP.
  const payloadType = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 96, max: 127 }));
  fc.assert(
    fc.property(payloadType, fc.boolean(), (type, marker) => {
      emitRtpHeader(bytes, 0, { payloadType: type, sequence: 1, timestamp: 2, ssrc: 3, marker });
      expect(isRtcp(bytes, 0, bytes.length)).toBe(false);
    }),
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      isRtcp(bytes, 0, bytes.length);
    }),
  );
});
