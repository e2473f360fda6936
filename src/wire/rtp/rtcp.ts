/** RTCP packets (RFC 3550 section 6), as far as opening the way through a NAT needs them (rtsp.md section 7). */

const RECEIVER_REPORT = 201;
const MIN_TYPE = 192;
const MAX_TYPE = 223;

/** A receiver report without any report block, 8 bytes. */
export function emitReceiverReport(ssrc = 0): Uint8Array {
  const packet = Uint8Array.of(0x80, RECEIVER_REPORT, 0, 1, 0, 0, 0, 0);
  new DataView(packet.buffer).setUint32(4, ssrc);
  return packet;
}

/** Whether a datagram is RTCP that came to the RTP port: version 2 and a type of RFC 5761 section 4. */
export function isRtcp(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < 4 || bytes[offset]! >> 6 !== 2) return false;
  const type = bytes[offset + 1]!;
  return type >= MIN_TYPE && type <= MAX_TYPE;
}
