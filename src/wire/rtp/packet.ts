/** RTP packets (RFC 3550 section 5.1) as views over bytes; see multicast.md section 7. */

export const RTP_HEADER_BYTES = 12;

/** What `parseRtp` found; one object is used again and again, so that no packet makes garbage. */
export interface RtpPacket {
  payloadType: number;
  /** 0…65535 */
  sequence: number;
  /** Where the payload starts and ends in the bytes that were parsed. */
  payloadStart: number;
  payloadEnd: number;
}

export function emptyRtpPacket(): RtpPacket {
  return { payloadType: 0, sequence: 0, payloadStart: 0, payloadEnd: 0 };
}

/** Whether the datagram claims to be RTP: 12 bytes or more and version 2. */
export function isRtp(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= RTP_HEADER_BYTES && bytes[offset]! >> 6 === 2;
}

/** Reads a datagram for which `isRtp` holds. False when it is malformed or without payload; `into` is then meaningless. */
export function parseRtp(bytes: Uint8Array, offset: number, length: number, into: RtpPacket): boolean {
  const first = bytes[offset]!;
  let start = offset + RTP_HEADER_BYTES;
  let end = offset + length;
  // Nearly every packet has neither CSRC list, extension nor padding.
  if (first !== 0x80) {
    start += (first & 0x0f) * 4;
    if (first & 0x10) {
      if (start + 4 > end) return false;
      start += 4 + ((bytes[start + 2]! << 8) | bytes[start + 3]!) * 4;
    }
    if (first & 0x20) end -= bytes[end - 1]!;
  }
  into.payloadType = bytes[offset + 1]! & 0x7f;
  into.sequence = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  into.payloadStart = start;
  into.payloadEnd = end;
  return start < end;
}

/** The synchronization source of a datagram for which `isRtp` holds: a number that its sender has chosen. */
export function ssrcOf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 8]! << 24) | (bytes[offset + 9]! << 16) | (bytes[offset + 10]! << 8) | bytes[offset + 11]!;
}

/** The timestamp of a datagram for which `isRtp` holds, as a signed number of 32 bits. */
export function timestampOf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 4]! << 24) | (bytes[offset + 5]! << 16) | (bytes[offset + 6]! << 8) | bytes[offset + 7]!;
}

/** `a − b` on the circle of 65536 sequence numbers, −32768…32767. */
export function sequenceDifference(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

export interface RtpHeader {
  payloadType: number;
  sequence: number;
  /** 32 bits, in units of the payload's clock. */
  timestamp: number;
  ssrc: number;
  marker?: boolean;
}

/** Writes the 12 bytes of a header without CSRC, extension or padding. */
export function emitRtpHeader(into: Uint8Array, offset: number, header: RtpHeader): void {
  into[offset] = 0x80;
  into[offset + 1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  into[offset + 2] = header.sequence >> 8;
  into[offset + 3] = header.sequence;
  writeUint32(into, offset + 4, header.timestamp);
  writeUint32(into, offset + 8, header.ssrc);
}

function writeUint32(into: Uint8Array, offset: number, value: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}
