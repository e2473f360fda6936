/** MPEG transport stream packets, PAT and PMT (ISO/IEC 13818-1 sections 2.4.3 and 2.4.4), as far as a relay looks at them. */

export const TS_PACKET_BYTES = 188;
export const TS_SYNC_BYTE = 0x47;
export const PAT_PID = 0;

/**
 * Whether bytes are bare MPEG-TS (multicast.md section 6): at least `leastCells` whole packets, and a sync byte at
 * the start of each of the first three.
 */
export function isTransportStream(bytes: Uint8Array, offset: number, length: number, leastCells = 1): boolean {
  const cells = Math.min(3, Math.floor(length / TS_PACKET_BYTES));
  if (cells < leastCells) return false;
  for (let i = 0; i < cells; i++) if (bytes[offset + i * TS_PACKET_BYTES] !== TS_SYNC_BYTE) return false;
  return true;
}

export function packetId(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 1]! & 0x1f) << 8) | bytes[offset + 2]!;
}

/** payload_unit_start_indicator */
export function isUnitStart(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 1]! & 0x40) !== 0;
}

/** Offset of the payload, or the end of the packet when it carries none. */
export function payloadOffset(bytes: Uint8Array, offset: number): number {
  const control = bytes[offset + 3]! & 0x30;
  const end = offset + TS_PACKET_BYTES;
  if (control === 0x10) return offset + 4;
  if (control === 0x30) return Math.min(end, offset + 5 + bytes[offset + 4]!);
  return end;
}

/** random_access_indicator of the adaptation field */
export function isRandomAccess(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 3]! & 0x20) !== 0 && bytes[offset + 4]! > 0 && (bytes[offset + 5]! & 0x40) !== 0;
}

const TABLE_PAT = 0;
const TABLE_PMT = 2;

/** Start and end (without CRC) of a table that fits whole into one unit-start packet, or undefined. */
function wholeSection(bytes: Uint8Array, offset: number, table: number): [start: number, end: number] | undefined {
  const packetEnd = offset + TS_PACKET_BYTES;
  const pointer = payloadOffset(bytes, offset);
  if (pointer >= packetEnd) return undefined;
  const start = pointer + 1 + bytes[pointer]!;
  if (start + 8 > packetEnd || bytes[start] !== table) return undefined;
  const end = start + 3 + (((bytes[start + 1]! & 0x0f) << 8) | bytes[start + 2]!);
  return end <= packetEnd && end - 4 >= start + 8 ? [start, end - 4] : undefined;
}

/** PID of the first programme's PMT; undefined for a PAT that names none or is split over packets. */
export function pmtPidOfPat(bytes: Uint8Array, offset: number): number | undefined {
  const section = wholeSection(bytes, offset, TABLE_PAT);
  if (!section) return undefined;
  for (let at = section[0] + 8; at + 4 <= section[1]; at += 4) {
    const programme = (bytes[at]! << 8) | bytes[at + 1]!;
    if (programme !== 0) return ((bytes[at + 2]! & 0x1f) << 8) | bytes[at + 3]!;
  }
  return undefined;
}

export interface ElementaryStream {
  pid: number;
  /** stream_type, ISO/IEC 13818-1 table 2-34 */
  type: number;
}

/** The elementary streams of a PMT; undefined when it is malformed or split over packets. */
export function streamsOfPmt(bytes: Uint8Array, offset: number): ElementaryStream[] | undefined {
  const section = wholeSection(bytes, offset, TABLE_PMT);
  if (!section || section[1] < section[0] + 12) return undefined;
  const streams: ElementaryStream[] = [];
  let at = section[0] + 12 + (((bytes[section[0] + 10]! & 0x0f) << 8) | bytes[section[0] + 11]!);
  while (at + 5 <= section[1]) {
    streams.push({ type: bytes[at]!, pid: ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]! });
    at += 5 + (((bytes[at + 3]! & 0x0f) << 8) | bytes[at + 4]!);
  }
  return streams;
}

const MPEG1_VIDEO = 0x01;
const MPEG2_VIDEO = 0x02;
const H264 = 0x1b;
const H265 = 0x24;

export function isVideo(type: number): boolean {
  return type === MPEG1_VIDEO || type === MPEG2_VIDEO || type === H264 || type === H265;
}

/**
 * Whether a unit-start packet of a video stream opens a picture that can be decoded without earlier ones: the random access
 * indicator, or else a sequence header (MPEG-2), a sequence parameter set or an IDR picture (H.264, H.265) in
 * this packet, for encoders which never set the indicator.
 */
export function startsDecodablePicture(bytes: Uint8Array, offset: number, type: number): boolean {
  if (isRandomAccess(bytes, offset)) return true;
  const end = offset + TS_PACKET_BYTES;
  for (let at = payloadOffset(bytes, offset); at + 4 <= end; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    if (isDecodableStart(bytes[at + 3]!, type)) return true;
  }
  return false;
}

function isDecodableStart(code: number, type: number): boolean {
  switch (type) {
    case MPEG1_VIDEO:
    case MPEG2_VIDEO:
      return code === 0xb3;
    case H264:
      // forbidden_zero_bit tells a NAL header from the stream id of the PES header (0xE0…)
      return code < 0x80 && ((code & 0x1f) === 5 || (code & 0x1f) === 7);
    case H265: {
      const nal = (code >> 1) & 0x3f;
      return code < 0x80 && ((nal >= 16 && nal <= 21) || nal === 32 || nal === 33);
    }
    default:
      return false;
  }
}
