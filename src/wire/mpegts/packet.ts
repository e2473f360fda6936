/** MPEG transport stream packets (ISO/IEC 13818-1 section 2.4.3), as far as a relay looks at them. */

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

/** PCR_flag of an adaptation field that is long enough (section 2.4.3.4) */
export function hasPcr(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 3]! & 0x20) !== 0 && bytes[offset + 4]! >= 7 && (bytes[offset + 5]! & 0x10) !== 0;
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
