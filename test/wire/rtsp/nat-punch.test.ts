import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { isStun } from "../../../src/wire/ip/stun.ts";
import { isTransportStream } from "../../../src/wire/mpegts/packet.ts";
import { emptyRtpPacket, isRtp, parseRtp } from "../../../src/wire/rtp/packet.ts";
import { emitRtpPunch, emitZtePunch, formatNatHeader } from "../../../src/wire/rtsp/nat-punch.ts";

const ZTE_PUNCH_BYTES = 84;

const endpoint = { address: parseIpAddress("192.168.1.20")!, rtpPort: 10000, controlPort: 54321 };

test("the datagram of ZTE", () => {
  const wanted = `${Buffer.from("ZXV10STB").toString("hex")}7fffffffc0a801142710d431${"00".repeat(64)}`;
  expect(Buffer.from(emitZtePunch(endpoint)).toString("hex")).toBe(wanted);
});

test("the other datagram and the header", () => {
  expect(Buffer.from(emitRtpPunch()).toString("hex")).toBe("800000000000000000000000");
  expect(formatNatHeader(endpoint)).toBe("192.168.1.20:54321");
});

test("every endpoint stands in its place", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(
    fc.property(fc.ipV4(), port, port, (text, rtpPort, controlPort) => {
      const datagram = emitZtePunch({ address: parseIpAddress(text)!, rtpPort, controlPort });
      const view = new DataView(datagram.buffer);
      expect(datagram.subarray(12, 16).join(".")).toBe(text);
      expect([view.getUint16(16), view.getUint16(18)]).toEqual([rtpPort, controlPort]);
      expect(datagram).toHaveLength(ZTE_PUNCH_BYTES);
    }),
  );
});

test("an echo is never taken for media or STUN", () => {
  for (const datagram of [emitZtePunch(endpoint), emitRtpPunch()]) {
    const { length } = datagram;
    expect(isTransportStream(datagram, 0, length)).toBe(false);
    expect(isStun(datagram, 0, length)).toBe(false);
    expect(isRtp(datagram, 0, length) && parseRtp(datagram, 0, length, emptyRtpPacket())).toBe(false);
  }
});
