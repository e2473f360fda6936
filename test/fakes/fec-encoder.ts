/**
 * Encoders of forward error correction, written from the definitions (multicast.md sections 9.2, 9.5 and 9.7) without the
 * program's own arithmetic: products by long multiplication, parity by interpolation.
 */

export type PointsName = "integer" | "alpha" | "cubes";

const MP2T = 33;

/** Long multiplication of polynomials, reduced by x⁸ + x⁴ + x³ + x² + 1. */
export function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 7; bit >= 0; bit--) {
    sum <<= 1;
    if (sum & 0x100) sum ^= 0x11d;
    if (b & (1 << bit)) sum ^= a;
  }
  return sum;
}

function reciprocal(a: number): number {
  for (let b = 1; b < 256; b++) if (product(a, b) === 1) return b;
  throw new Error("0 has no reciprocal");
}

function raised(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = product(result, base);
  return result;
}

const RECIPROCALS = Array.from({ length: 256 }, (_, a) => (a === 0 ? 0 : reciprocal(a)));
const PRODUCTS = Array.from({ length: 256 }, (_, a) => Uint8Array.from({ length: 256 }, (_, b) => product(a, b)));

/** Where the polynomial has block `r` as its value. `cubes` is a code that nobody uses. */
function point(name: PointsName, r: number): number {
  if (name === "integer") return r;
  return raised(2, name === "alpha" ? r : 7 * r);
}

const known = new Map<string, number[][]>();

/** Coefficients of parity row by row, Lagrange's way. */
export function coefficients(name: PointsName, k: number, m: number): number[][] {
  const key = `${name} ${k} ${m}`;
  const found = known.get(key);
  if (found) return found;
  const x = Array.from({ length: k + m }, (_, r) => point(name, r));
  const rows = Array.from({ length: m }, (_, i) =>
    Array.from({ length: k }, (_, c) => {
      let value = 1;
      for (let r = 0; r < k; r++) {
        if (r !== c) value = product(product(value, x[k + i]! ^ x[r]!), RECIPROCALS[x[c]! ^ x[r]!]!);
      }
      return value;
    }),
  );
  known.set(key, rows);
  return rows;
}

/** Parity blocks of `length` bytes of blocks that are padded with zeros or cut to it. */
export function parityBlocks(name: PointsName, blocks: readonly Uint8Array[], m: number, length: number): Uint8Array[] {
  return coefficients(name, blocks.length, m).map((row) => {
    const parity = new Uint8Array(length);
    blocks.forEach((block, r) => {
      const products = PRODUCTS[row[r]!]!;
      for (let i = 0; i < Math.min(length, block.length); i++) parity[i]! ^= products[block[i]!]!;
    });
    return parity;
  });
}

export interface ParityShape {
  readonly begin: number;
  readonly end: number;
  readonly m: number;
  readonly index: number;
  readonly parity: Uint8Array;
  readonly blockLength?: number;
  readonly payloadType?: number;
}

/** A datagram of Reed–Solomon parity. */
export function parityDatagram({ begin, end, m, index, parity, blockLength, payloadType = 127 }: ParityShape) {
  const bytes = new Uint8Array(24 + parity.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x80);
  view.setUint8(1, payloadType);
  view.setUint16(2, index);
  view.setUint16(12, begin);
  view.setUint16(14, end);
  view.setUint8(16, m);
  view.setUint8(17, index);
  view.setUint16(18, parity.length);
  view.setUint16(20, blockLength ?? parity.length);
  bytes.set(parity, 24);
  return bytes;
}

/** All parity datagrams of a group of RTP packets. */
export function parityOf(name: PointsName, packets: readonly Uint8Array[], m: number, length?: number): Uint8Array[] {
  const blockLength = length ?? Math.max(...packets.map((packet) => packet.length));
  const begin = sequenceOf(packets[0]!);
  const end = sequenceOf(packets.at(-1)!);
  return parityBlocks(name, packets, m, blockLength).map((parity, index) =>
    parityDatagram({ begin, end, m, index, parity }),
  );
}

/** A datagram of SMPTE 2022-1 of a row (`stride` 1) or a column, of packets with plain RTP headers. */
export function smpteDatagram(packets: readonly Uint8Array[], stride: number, isRow: boolean): Uint8Array {
  const longest = Math.max(...packets.map(({ length }) => length)) - 12;
  const bytes = new Uint8Array(28 + longest);
  const view = new DataView(bytes.buffer);
  const xorOf = (value: (packet: DataView) => number) =>
    packets.reduce((sum, { buffer, byteOffset, length }) => sum ^ value(new DataView(buffer, byteOffset, length)), 0);
  view.setUint8(0, 0x80);
  view.setUint8(1, 96 | (xorOf((packet) => packet.getUint8(1)) & 0x80));
  view.setUint16(12, sequenceOf(packets[0]!));
  view.setUint16(
    14,
    xorOf((packet) => packet.byteLength - 12),
  );
  view.setUint8(16, 0x80 | (xorOf((packet) => packet.getUint8(1)) & 0x7f));
  view.setInt32(
    20,
    xorOf((packet) => packet.getUint32(4)),
  );
  view.setUint8(24, isRow ? 0x40 : 0);
  view.setUint8(25, stride);
  view.setUint8(26, packets.length);
  for (let i = 0; i < longest; i++)
    bytes[28 + i] = xorOf((packet) => (12 + i < packet.byteLength ? packet.getUint8(12 + i) : 0));
  return bytes;
}

export function sequenceOf(packet: Uint8Array): number {
  return (packet[2]! << 8) | packet[3]!;
}

/** An RTP packet of any payload, with a plain header. */
export function plainPacket(payload: Uint8Array, sequence: number, payloadType = MP2T): Uint8Array {
  const packet = new Uint8Array(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = payloadType;
  packet[2] = sequence >> 8;
  packet[3] = sequence;
  new DataView(packet.buffer).setUint32(4, sequence * 630);
  packet.set(payload, 12);
  return packet;
}
