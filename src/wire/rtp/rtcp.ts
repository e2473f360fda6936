/** RTCP packets (RFC 3550 section 6): how they are told from media, and the one that opens the way through a NAT (rtsp.md section 7). */

const RECEIVER_REPORT = 201;
const BYE = 203;
const HEADER_BYTES = 4;
/** Types of RTCP, where RTP has marker and payload type (RFC 5761 section 4). */
const FIRST_TYPE = 192;
const LAST_TYPE = 223;

/** Whether a datagram is RTCP: version, type, and a length that fits it. */
export function isRtcp(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < HEADER_BYTES || bytes[offset]! >> 6 !== 2) return false;
  const type = bytes[offset + 1]!;
  return type >= FIRST_TYPE && type <= LAST_TYPE && packetBytes(bytes, offset) <= length;
}

function packetBytes(bytes: Uint8Array, offset: number): number {
  return (((bytes[offset + 2]! << 8) | bytes[offset + 3]!) + 1) * 4;
}

/** Whether somebody says in a compound packet that he sends no more (RFC 3550 section 6.6). */
export function hasBye(bytes: Uint8Array, offset: number, length: number): boolean {
  const end = offset + length;
  for (let at = offset; isRtcp(bytes, at, end - at); at += packetBytes(bytes, at)) {
    if (bytes[at + 1] === BYE) return true;
  }
  return false;
}

/** A receiver report without any report block, 8 bytes. */
export function emitReceiverReport(ssrc = 0): Uint8Array {
  const packet = Uint8Array.of(0x80, RECEIVER_REPORT, 0, 1, 0, 0, 0, 0);
  new DataView(packet.buffer).setUint32(4, ssrc);
  return packet;
}
