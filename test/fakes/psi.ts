/** Makes PSI sections with a right CRC (ISO/IEC 13818-1 section 2.4.4), and packets that carry them. */

export const TABLE_PAT = 0;
export const TABLE_PMT = 2;
const TS_PACKET_BYTES = 188;
const PAYLOAD_BYTES = TS_PACKET_BYTES - 4;

/** A section with extension 1, version 0, which applies now. */
export function psiSection(
  table: number,
  body: readonly number[],
  { extension = 1, versionByte = 0xc1 } = {},
): number[] {
  const length = 5 + body.length + 4;
  return withCrc([
    table,
    0xb0 | (length >> 8),
    length & 0xff,
    extension >> 8,
    extension & 0xff,
    versionByte,
    0,
    0,
    ...body,
  ]);
}

/** Adds the CRC-32/MPEG-2, bit by bit. */
export function withCrc(bytes: readonly number[]): number[] {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return [...bytes, (crc >>> 24) & 0xff, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff];
}

export const patSection = (programmes: readonly (readonly [number: number, pmtPid: number])[]): number[] =>
  psiSection(
    TABLE_PAT,
    programmes.flatMap(([number, pid]) => [number >> 8, number & 0xff, 0xe0 | (pid >> 8), pid & 0xff]),
  );

export interface PmtStream {
  readonly type: number;
  readonly pid: number;
  readonly descriptors?: readonly number[];
}

export function pmtSection(
  streams: readonly PmtStream[],
  { programme = 1, info = [] as readonly number[], pcrPid = 0x100 } = {},
): number[] {
  const entries = streams.flatMap(({ type, pid, descriptors = [] }) => [
    ...[type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0 | (descriptors.length >> 8), descriptors.length & 0xff],
    ...descriptors,
  ]);
  const body = [
    0xe0 | (pcrPid >> 8),
    pcrPid & 0xff,
    0xf0 | (info.length >> 8),
    info.length & 0xff,
    ...info,
    ...entries,
  ];
  return psiSection(TABLE_PMT, body, { extension: programme });
}

/** The packets of a section that begins behind `pointer` other bytes. `counter` is that of the first packet. */
export function sectionPackets(
  pid: number,
  section: readonly number[],
  { pointer = 0, counter = 0 } = {},
): Uint8Array[] {
  const payload = [pointer, ...new Array<number>(pointer).fill(0xff), ...section];
  const packets: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += PAYLOAD_BYTES) {
    packets.push(
      tablePacket(pid, payload.slice(at, at + PAYLOAD_BYTES), { counter: counter + packets.length, isStart: at === 0 }),
    );
  }
  return packets;
}

/** One packet. What is missing of its payload is stuffing bytes, or an adaptation field when `exact`. */
export function tablePacket(
  pid: number,
  payload: readonly number[],
  { counter = 0, isStart = true, exact = false } = {},
): Uint8Array {
  const bytes = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
  const missing = exact ? PAYLOAD_BYTES - payload.length : 0;
  const head = [0x47, (isStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, (missing > 0 ? 0x30 : 0x10) | (counter & 0x0f)];
  bytes.set(head);
  if (missing > 0) bytes.set([missing - 1, ...(missing > 1 ? [0] : [])], 4);
  bytes.set(payload, 4 + missing);
  return bytes;
}
