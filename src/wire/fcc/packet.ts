/** What all FCC messages share: they are RTCP transport feedback (RFC 4585 section 6.2; fcc.md section 3). */
import type { IpAddress } from "../ip/address.ts";

export const FCC_HEADER_BYTES = 12;
const TERMINATION_BYTES = 16;

const VERSION_2 = 0x80;
const FORMAT_MASK = 0x1f;
const TRANSPORT_FEEDBACK = 205;
const FIRST_RTCP_TYPE = 200;
const LAST_RTCP_TYPE = 211;
const LEAST_RTCP_BYTES = 8;
const GROUP_OFFSET = 8;
const STOP_OFFSET = 12;
const SEQUENCE_OFFSET = 14;

/** When the server is to stop. */
export interface Termination {
  /** IPv4. */
  readonly group: IpAddress;
  /** Behind this sequence number; undefined: at once. */
  readonly sequence: number | undefined;
}

/** Whether a datagram on an FCC socket is signalling. Anything else is media. */
export function isFccSignalling(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < LEAST_RTCP_BYTES || bytes[offset]! >> 6 !== 2) return false;
  const type = bytes[offset + 1]!;
  const words = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  return type >= FIRST_RTCP_TYPE && type <= LAST_RTCP_TYPE && (words + 1) * 4 <= length;
}

/** The message type; undefined for what is no FCC message: ordinary RTCP among them. */
export function fccFormat(packet: Uint8Array): number | undefined {
  if (packet.length < FCC_HEADER_BYTES || !isFccSignalling(packet, 0, packet.length)) return undefined;
  return packet[1] === TRANSPORT_FEEDBACK ? packet[0]! & FORMAT_MASK : undefined;
}

/** A message of so many bytes whose body is zero. */
export function emitFccHeader(format: number, group: IpAddress, length: number): Uint8Array {
  const packet = new Uint8Array(length);
  packet[0] = VERSION_2 | format;
  packet[1] = TRANSPORT_FEEDBACK;
  viewOf(packet).setUint16(2, length / 4 - 1);
  packet.set(group.bytes.subarray(0, 4), GROUP_OFFSET);
  return packet;
}

export function groupOf(packet: Uint8Array): IpAddress {
  return readIpv4(packet, GROUP_OFFSET);
}

export function readIpv4(packet: Uint8Array, offset: number): IpAddress {
  return { family: 4, bytes: packet.slice(offset, offset + 4) };
}

/** Both dialects say it in 16 bytes; their numbers differ. */
export function emitTermination(
  { group, sequence }: Termination,
  format: number,
  stop: { readonly normal: number; readonly forced: number },
): Uint8Array {
  const packet = emitFccHeader(format, group, TERMINATION_BYTES);
  packet[STOP_OFFSET] = sequence === undefined ? stop.forced : stop.normal;
  viewOf(packet).setUint16(SEQUENCE_OFFSET, sequence ?? 0);
  return packet;
}

export function parseTermination(
  packet: Uint8Array,
  format: number,
  stop: { readonly normal: number; readonly forced: number },
): Termination | undefined {
  if (fccFormat(packet) !== format || packet.length < TERMINATION_BYTES) return undefined;
  const how = packet[STOP_OFFSET];
  if (how !== stop.normal && how !== stop.forced) return undefined;
  const sequence = how === stop.normal ? viewOf(packet).getUint16(SEQUENCE_OFFSET) : undefined;
  return { group: groupOf(packet), sequence };
}

export function viewOf(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.length);
}
