/** The codecs of elementary streams: their names for people, and what tells them (ISO/IEC 13818-1 table 2-34, EN 300 468). */

export type Codec =
  | "MPEG-1"
  | "MPEG-2"
  | "MPEG-4"
  | "H.264"
  | "H.265"
  | "AVS"
  | "AV1"
  | "AAC"
  | "AAC LATM"
  | "AC-3"
  | "E-AC-3"
  | "AC-4"
  | "DTS"
  | "MP2"
  | "MP3"
  | "Opus";

type MediaKind = "video" | "audio";

const VIDEO: ReadonlySet<Codec> = new Set(["MPEG-1", "MPEG-2", "MPEG-4", "H.264", "H.265", "AVS", "AV1"]);

export function kindOf(codec: Codec): MediaKind {
  return VIDEO.has(codec) ? "video" : "audio";
}

/** stream_type, ISO/IEC 13818-1 table 2-34, and ATSC A/53 part 3 for 0x81 and up. */
const STREAM_TYPES: ReadonlyMap<number, Codec> = new Map([
  [0x01, "MPEG-1"],
  [0x02, "MPEG-2"],
  [0x0f, "AAC"],
  [0x10, "MPEG-4"],
  [0x11, "AAC LATM"],
  [0x1b, "H.264"],
  [0x24, "H.265"],
  [0x42, "AVS"],
  [0x81, "AC-3"],
  [0x82, "DTS"],
  [0x87, "E-AC-3"],
  [0xd2, "AVS"],
  [0xd4, "AVS"],
]);

export const PRIVATE_PES = 0x06;
export const AC3_TYPE = 0x81;
export const E_AC3_TYPE = 0x87;

/** descriptor_tag, ETSI EN 300 468 table 12 */
const DESCRIPTORS: ReadonlyMap<number, Codec> = new Map([
  [0x6a, "AC-3"],
  [0x7a, "E-AC-3"],
  [0x7b, "DTS"],
]);

/** format_identifier of the registration descriptor, ISO/IEC 13818-1 section 2.6.8 */
const REGISTRATIONS: ReadonlyMap<string, Codec> = new Map([
  ["AC-3", "AC-3"],
  ["EAC3", "E-AC-3"],
  ["DTS1", "DTS"],
  ["DTS2", "DTS"],
  ["DTS3", "DTS"],
  ["HEVC", "H.265"],
  ["AV01", "AV1"],
  ["Opus", "Opus"],
]);
const REGISTRATION_TAG = 0x05;

export function isMpegAudio(streamType: number): boolean {
  return streamType === 0x03 || streamType === 0x04;
}

/**
 * Undefined for what is neither picture nor sound, and for MPEG audio, whose layer only its frames tell.
 * @param descriptors of the elementary stream, one after the other
 */
export function codecOf(streamType: number, descriptors: Uint8Array): Codec | undefined {
  if (streamType !== PRIVATE_PES) return STREAM_TYPES.get(streamType);
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + descriptors[at + 1]!) {
    const tag = descriptors[at]!;
    const text = tag === REGISTRATION_TAG ? String.fromCharCode(...descriptors.subarray(at + 2, at + 6)) : "";
    const codec = DESCRIPTORS.get(tag) ?? REGISTRATIONS.get(text);
    if (codec) return codec;
  }
  return undefined;
}

/** The layer in an MPEG audio frame header (ISO/IEC 11172-3 section 2.4.2.3), the first one in `bytes`. */
export function mpegAudioCodec(bytes: Uint8Array): Codec | undefined {
  for (let at = 0; at + 2 <= bytes.length; at++) {
    if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) continue;
    const layer = (bytes[at + 1]! >> 1) & 3;
    if (layer !== 0) return layer === 1 ? "MP3" : "MP2";
  }
  return undefined;
}
