/** What the headers of a video stream say of its pictures: MPEG-2 (ISO/IEC 13818-2), H.264 and H.265 (ITU-T). */
import type { Codec } from "./codec.ts";
import { h264Format } from "./h264.ts";
import { h265Format } from "./h265.ts";
import type { VideoFormat } from "./video-format.ts";

/** Larger ones are no television: the bytes were damaged. */
const MAX_PIXELS = 16_384;
const MAX_FRAME_RATE = 400;

/** Of the first header in the bytes that says it; undefined: none does. */
export function videoFormat(codec: Codec, bytes: Uint8Array): VideoFormat | undefined {
  const format = readFormat(codec, bytes);
  if (!format) return undefined;
  const { width, height, frameRate = 0 } = format;
  if (width < 1 || height < 1 || width > MAX_PIXELS || height > MAX_PIXELS) return undefined;
  const isRate = frameRate > 0 && frameRate <= MAX_FRAME_RATE;
  return { ...format, frameRate: isRate ? Math.round(frameRate * 1000) / 1000 : undefined };
}

function readFormat(codec: Codec, bytes: Uint8Array): VideoFormat | undefined {
  switch (codec) {
    case "MPEG-1":
    case "MPEG-2":
      return mpeg2Format(bytes);
    case "H.264":
      return h264Format(bytes);
    case "H.265":
      return h265Format(bytes);
    default:
      return undefined;
  }
}

const SEQUENCE_HEADER = 0xb3;
const EXTENSION = 0xb5;
const SEQUENCE_EXTENSION = 1;
const HEADER_BYTES = 8;
const EXTENSION_BYTES = 6;
/** frame_rate_code, table 6-4 */
const FRAME_RATES = [0, 24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60];

/** Sections 6.2.2.1 and 6.2.2.3. Without the extension it is MPEG-1, whatever the tables say, which knows no interlacing. */
function mpeg2Format(bytes: Uint8Array): VideoFormat | undefined {
  const header = startCode(bytes, 0, SEQUENCE_HEADER);
  if (header < 0) return undefined;
  const extension = startCode(bytes, header + HEADER_BYTES);
  if (extension < 0) return undefined;
  const width = (bytes[header]! << 4) | (bytes[header + 1]! >> 4);
  const height = ((bytes[header + 1]! & 0x0f) << 8) | bytes[header + 2]!;
  const frameRate = FRAME_RATES[bytes[header + 3]! & 0x0f];
  if (bytes[extension - 1] !== EXTENSION || bytes[extension]! >> 4 !== SEQUENCE_EXTENSION) {
    return { codec: "MPEG-1", width, height, frameRate, isInterlaced: false };
  }
  if (extension + EXTENSION_BYTES > bytes.length) return undefined;
  const sizes = ((bytes[extension + 1]! & 1) << 3) | (bytes[extension + 2]! >> 5);
  const multiplier = ((bytes[extension + 5]! >> 5) & 3) + 1;
  const divisor = (bytes[extension + 5]! & 0x1f) + 1;
  return {
    codec: "MPEG-2",
    width: width | ((sizes >> 2) << 12),
    height: height | ((sizes & 3) << 12),
    frameRate: frameRate && (frameRate * multiplier) / divisor,
    isInterlaced: (bytes[extension + 1]! & 0x08) === 0,
  };
}

/** Where what follows a start code begins, of this value if one is given, or -1. */
function startCode(bytes: Uint8Array, from: number, value?: number): number {
  for (let at = from; at + 4 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    if (value === undefined || bytes[at + 3] === value) return at + 4;
  }
  return -1;
}
