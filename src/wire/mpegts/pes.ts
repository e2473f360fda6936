/** The time stamps of PES headers (ISO/IEC 13818-1 sections 2.4.3.6 and 2.4.3.7). */
import { isUnitStart, payloadOffset, TS_PACKET_BYTES } from "./packet.ts";

/** PTS at this offset in a PES header, and DTS behind it. */
export const PTS_OFFSET = 9;
export const DTS_OFFSET = 14;
const TIMESTAMP_BYTES = 5;

/** Where the PES header begins that has a PTS in this packet, or -1. */
export function timedPesOffset(packet: Uint8Array, offset: number): number {
  const isScrambled = (packet[offset + 3]! & 0xc0) !== 0;
  if (isScrambled || !isUnitStart(packet, offset)) return -1;
  const pes = payloadOffset(packet, offset);
  if (pes + PTS_OFFSET + TIMESTAMP_BYTES > offset + TS_PACKET_BYTES) return -1;
  const hasStartCode = packet[pes] === 0 && packet[pes + 1] === 0 && packet[pes + 2] === 1;
  const hasPts = hasStartCode && hasPesHeader(packet[pes + 3]!) && (packet[pes + 7]! & 0x80) !== 0;
  return hasPts ? pes : -1;
}

/** Whether a DTS follows the PTS of the PES header at `pes`, in the packet at `offset`. */
export function hasDts(packet: Uint8Array, offset: number, pes: number): boolean {
  return packet[pes + 7]! >> 6 === 3 && pes + DTS_OFFSET + TIMESTAMP_BYTES <= offset + TS_PACKET_BYTES;
}

/** The presentation time of what begins in this packet, 33 bits of 90 kHz; undefined when it has none. */
export function presentationTime(packet: Uint8Array, offset: number): number | undefined {
  const pes = timedPesOffset(packet, offset);
  return pes < 0 ? undefined : readTimestamp(packet, pes + PTS_OFFSET);
}

/** The 33 bits that lie, with marker bits between them, in the five bytes at `at`. */
export function readTimestamp(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 22) | ((bytes[at + 2]! >> 1) << 15) | (bytes[at + 3]! << 7) | (bytes[at + 4]! >> 1);
  return ((bytes[at]! >> 1) & 7) * 2 ** 30 + low;
}

/** Whether PES packets of this stream_id have the optional header (section 2.4.3.7): all but these, which hold bare data. */
function hasPesHeader(streamId: number): boolean {
  switch (streamId) {
    case 0xbc: // program_stream_map
    case 0xbe: // padding_stream
    case 0xbf: // private_stream_2
    case 0xf0: // ECM
    case 0xf1: // EMM
    case 0xf2: // DSMCC
    case 0xf8: // ITU-T H.222.1 type E
    case 0xff: // program_stream_directory
      return false;
    default:
      return streamId > 0xbb;
  }
}
