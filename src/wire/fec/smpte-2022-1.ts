/** Parity packets of SMPTE 2022-1 (Pro-MPEG COP#3): the XOR of the packets of a row or a column (RFC 2733; multicast.md section 9.7). */
import { isRtp, RTP_HEADER_BYTES } from "../rtp/packet.ts";

const HEADER_BYTES = 16;
/** Extension flag, which is always set; the rest of its byte is the payload type. */
const EXTENDED = 0x80;
const TYPE_BITS = 0x7f;
/** Padding, extension and CSRC count of an RTP header. */
const FLAG_BITS = 0x3f;
const RTP_VERSION = 0x80;
const IS_ROW = 0x40;
/** Payload type of parity packets. */
const PARITY_TYPE = 96;

export interface XorParity {
  /** Sequence number of the first protected packet. */
  base: number;
  /** From one protected packet to the next: 1 in a row, the length of rows in a column. */
  stride: number;
  /** Protected packets. */
  count: number;
  isRow: boolean;
  /** XOR of all that an RTP header says before the sequence number, as its first two bytes. */
  flags: number;
  typeAndMarker: number;
  /** XOR of the lengths, the first 12 bytes of the packets not counted. */
  length: number;
  /** Where XOR of the timestamps stands in the bytes that were parsed. */
  timestampStart: number;
  /** Where XOR of what follows the first 12 bytes stands, and its length. */
  payloadStart: number;
  payloadLength: number;
}

export function emptyXorParity(): XorParity {
  return {
    base: 0,
    stride: 0,
    count: 0,
    isRow: false,
    flags: 0,
    typeAndMarker: 0,
    length: 0,
    timestampStart: 0,
    payloadStart: 0,
    payloadLength: 0,
  };
}

/**
 * Reads a datagram. False when it is no such packet; `into` is then meaningless. The padding, extension and CSRC bits of
 * its RTP header are those of the protected packets and say nothing of itself (RFC 2733 section 3.1).
 */
export function parseXorParity(bytes: Uint8Array, offset: number, length: number, into: XorParity): boolean {
  const at = offset + RTP_HEADER_BYTES;
  if (length <= RTP_HEADER_BYTES + HEADER_BYTES || !isRtp(bytes, offset, length)) return false;
  const mask = bytes[at + 5]! | bytes[at + 6]! | bytes[at + 7]!;
  const kind = bytes[at + 12]!;
  if ((bytes[at + 4]! & EXTENDED) === 0 || mask !== 0 || (kind & ~IS_ROW) !== 0 || bytes[at + 15] !== 0) return false;
  into.base = (bytes[at]! << 8) | bytes[at + 1]!;
  into.length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  into.flags = bytes[offset]! & FLAG_BITS;
  into.typeAndMarker = (bytes[offset + 1]! & ~TYPE_BITS) | (bytes[at + 4]! & TYPE_BITS);
  into.timestampStart = at + 8;
  into.isRow = kind === IS_ROW;
  into.stride = bytes[at + 13]!;
  into.count = bytes[at + 14]!;
  into.payloadStart = at + HEADER_BYTES;
  into.payloadLength = length - RTP_HEADER_BYTES - HEADER_BYTES;
  return into.stride > 0 && into.count > 0 && (!into.isRow || into.stride === 1);
}

/** Writes a parity packet of `protectedPackets`, which are RTP packets of a row or a column in their order. */
export function emitXorParity(
  protectedPackets: readonly Uint8Array[],
  { stride, isRow }: Pick<XorParity, "stride" | "isRow">,
  sequence: number,
): Uint8Array {
  const longest = Math.max(...protectedPackets.map(({ length }) => length));
  const bytes = new Uint8Array(HEADER_BYTES + longest);
  const at = RTP_HEADER_BYTES;
  let length = 0;
  for (const packet of protectedPackets) {
    length ^= packet.length - RTP_HEADER_BYTES;
    bytes[0]! ^= packet[0]! & FLAG_BITS;
    bytes[1]! ^= packet[1]! & ~TYPE_BITS;
    bytes[at + 4]! ^= packet[1]! & TYPE_BITS;
    for (let i = 0; i < 4; i++) bytes[at + 8 + i]! ^= packet[4 + i]!;
    for (let i = RTP_HEADER_BYTES; i < packet.length; i++) bytes[HEADER_BYTES + i]! ^= packet[i]!;
  }
  const view = new DataView(bytes.buffer);
  bytes[0]! |= RTP_VERSION;
  bytes[1]! |= PARITY_TYPE;
  view.setUint16(2, sequence);
  bytes.set(protectedPackets[0]!.subarray(2, 4), at);
  view.setUint16(at + 2, length);
  bytes[at + 4]! |= EXTENDED;
  bytes[at + 12] = isRow ? IS_ROW : 0;
  bytes[at + 13] = stride;
  bytes[at + 14] = protectedPackets.length;
  return bytes;
}

/** Rebuilds the one protected packet that is missing, of the parity packet and the others. */
export class XorRecovery {
  readonly #into: Uint8Array;
  readonly #parity: XorParity;
  #length: number;

  /** @param into has room for 12 bytes and the parity's payload */
  constructor(parity: XorParity, bytes: Uint8Array, into: Uint8Array) {
    this.#parity = parity;
    this.#into = into;
    this.#length = parity.length;
    into[0] = parity.flags;
    into[1] = parity.typeAndMarker;
    into.set(bytes.subarray(parity.timestampStart, parity.timestampStart + 4), 4);
    into.set(bytes.subarray(parity.payloadStart, parity.payloadStart + parity.payloadLength), RTP_HEADER_BYTES);
  }

  /** Takes one of the others, `length` bytes at 0. False when the parity cannot be theirs. */
  add(packet: Uint8Array, length: number): boolean {
    const into = this.#into;
    if (length > RTP_HEADER_BYTES + this.#parity.payloadLength) return false;
    into[0]! ^= packet[0]! & FLAG_BITS;
    into[1]! ^= packet[1]!;
    for (let i = 4; i < 8; i++) into[i]! ^= packet[i]!;
    // All packets of a stream have the same.
    for (let i = 8; i < RTP_HEADER_BYTES; i++) into[i] = packet[i]!;
    for (let i = RTP_HEADER_BYTES; i < length; i++) into[i]! ^= packet[i]!;
    this.#length ^= length - RTP_HEADER_BYTES;
    return true;
  }

  /** Once all protected packets are added, of which none is missing: whether the parity is theirs. */
  get isTheirs(): boolean {
    const into = this.#into;
    const end = RTP_HEADER_BYTES + this.#parity.payloadLength;
    for (let i = RTP_HEADER_BYTES; i < end; i++) if (into[i] !== 0) return false;
    return this.#length === 0 && into[1] === 0;
  }

  /** The same of the timestamps, which may have been rewritten on the way. */
  get hasTheirTimestamps(): boolean {
    const into = this.#into;
    return into[4] === 0 && into[5] === 0 && into[6] === 0 && into[7] === 0;
  }

  /** Once all others are added: completes the packet; its length, or 0 when the parity cannot be theirs. */
  finish(sequence: number): number {
    if (this.#length === 0 || this.#length > this.#parity.payloadLength) return 0;
    this.#into[0]! |= RTP_VERSION;
    this.#into[2] = sequence >> 8;
    this.#into[3] = sequence;
    return RTP_HEADER_BYTES + this.#length;
  }
}
