/** RTCP packets (RFC 3550 section 6), as far as opening the way through a NAT needs them (rtsp.md section 7). */

const RECEIVER_REPORT = 201;

/** A receiver report without any report block, 8 bytes. */
export function emitReceiverReport(ssrc = 0): Uint8Array {
  const packet = Uint8Array.of(0x80, RECEIVER_REPORT, 0, 1, 0, 0, 0, 0);
  new DataView(packet.buffer).setUint32(4, ssrc);
  return packet;
}
