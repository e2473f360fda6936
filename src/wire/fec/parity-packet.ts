/** Packets that carry Reed–Solomon parity of a group of RTP packets (multicast.md section 9.2). */
import { emitRtpHeader, emptyRtpPacket, isRtp, parseRtp, RTP_HEADER_BYTES, sequenceDifference } from "../rtp/packet.ts";

/** Dynamic payload types that parity packets use; some servers use the first for media (multicast.md section 6). */
const TYPE_A = 97;
const TYPE_B = 127;
const HEADER_BYTES = 12;
const MIN_BLOCK_BYTES = RTP_HEADER_BYTES;
export const MAX_BLOCK_BYTES = 1536;

export interface ParityPacket {
  /** First sequence number of the group. */
  begin: number;
  /** Last sequence number of the group. */
  end: number;
  /** Data packets of the group, 1 or more. */
  dataCount: number;
  /** Parity packets of the group, 1…255. */
  parityCount: number;
  /** Which of them it is, from 0 on. */
  index: number;
  /** Length of the packets, headers included, that were encoded: longer ones were cut, shorter ones padded with zeros. */
  blockLength: number;
  /** Where the parity starts in the bytes that were parsed, and its length. */
  parityStart: number;
  parityLength: number;
}

export function emptyParityPacket(): ParityPacket {
  return {
    begin: 0,
    end: 0,
    dataCount: 0,
    parityCount: 0,
    index: 0,
    blockLength: 0,
    parityStart: 0,
    parityLength: 0,
  };
}

export function isParityType(payloadType: number): boolean {
  return payloadType === TYPE_A || payloadType === TYPE_B;
}

const rtp = emptyRtpPacket();

/** Reads a datagram. False when it is no such packet; `into` is then meaningless. */
export function parseParityPacket(bytes: Uint8Array, offset: number, length: number, into: ParityPacket): boolean {
  if (length < RTP_HEADER_BYTES + HEADER_BYTES || !isRtp(bytes, offset, length)) return false;
  if (!parseRtp(bytes, offset, length, rtp) || !isParityType(rtp.payloadType)) return false;
  const at = rtp.payloadStart;
  const end = offset + length;
  if (at + HEADER_BYTES > end) return false;
  into.begin = uint16(bytes, at);
  into.end = uint16(bytes, at + 2);
  into.dataCount = sequenceDifference(into.end, into.begin) + 1;
  into.parityCount = bytes[at + 4]!;
  into.index = bytes[at + 5]!;
  into.parityLength = uint16(bytes, at + 6);
  into.blockLength = uint16(bytes, at + 8);
  into.parityStart = at + HEADER_BYTES;
  return (
    into.dataCount > 0 &&
    into.index < into.parityCount &&
    into.blockLength >= MIN_BLOCK_BYTES &&
    into.blockLength <= MAX_BLOCK_BYTES &&
    into.parityStart + into.parityLength <= end
  );
}

/** Writes a packet with a plain RTP header. `packet.parityStart` and `parityLength` say where the parity is in `parity`. */
export function emitParityPacket(packet: ParityPacket, parity: Uint8Array, sequence = 0): Uint8Array {
  const { parityStart, parityLength } = packet;
  const bytes = new Uint8Array(RTP_HEADER_BYTES + HEADER_BYTES + parityLength);
  emitRtpHeader(bytes, 0, { payloadType: TYPE_B, sequence, timestamp: 0, ssrc: 0 });
  const view = new DataView(bytes.buffer, RTP_HEADER_BYTES);
  view.setUint16(0, packet.begin);
  view.setUint16(2, packet.end);
  view.setUint8(4, packet.parityCount);
  view.setUint8(5, packet.index);
  view.setUint16(6, parityLength);
  view.setUint16(8, packet.blockLength);
  bytes.set(parity.subarray(parityStart, parityStart + parityLength), RTP_HEADER_BYTES + HEADER_BYTES);
  return bytes;
}

function uint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
