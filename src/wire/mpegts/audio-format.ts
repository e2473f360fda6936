/** What the frame headers of an audio stream say: MPEG audio, AAC in ADTS and LATM, AC-3 and E-AC-3. */
import { BitReader } from "./bit-reader.ts";
import type { Codec } from "./codec.ts";

export interface AudioFormat {
  /** In Hz. */
  readonly sampleRate: number;
  /** Of loudspeakers, those for the bass included; 0: not said. */
  readonly channels: number;
  /** The codec that the frames show, which is more than the tables say. */
  readonly codec: Codec;
}

/** Of the first frame header in the bytes; undefined: there is none. */
export function audioFormat(codec: Codec, bytes: Uint8Array): AudioFormat | undefined {
  const read = READERS[codec];
  if (!read) return undefined;
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const format = read(bytes.subarray(at));
    if (format) return format;
  }
  return undefined;
}

/** Reads the header with which the bytes begin. */
type Reader = (bytes: Uint8Array) => AudioFormat | undefined;

const READERS: Readonly<Partial<Record<Codec, Reader>>> = {
  MP2: readMpegAudio,
  MP3: readMpegAudio,
  AAC: readAdts,
  "AAC LATM": readLatm,
  "AC-3": readDolby,
  "E-AC-3": readDolby,
};

const MPEG_RATES = [44_100, 48_000, 32_000];
const VERSION_1 = 3;
const VERSION_2 = 2;
const RESERVED_VERSION = 1;
const MONO = 3;

/** ISO/IEC 11172-3 section 2.4.1.3, ISO/IEC 13818-3 section 2.4.2.3. */
function readMpegAudio(bytes: Uint8Array): AudioFormat | undefined {
  const version = (bytes[1]! >> 3) & 3;
  const layer = (bytes[1]! >> 1) & 3;
  const bitRate = bytes[2]! >> 4;
  const rate = MPEG_RATES[(bytes[2]! >> 2) & 3];
  const isHeader = bytes[0] === 0xff && bytes[1]! >= 0xe0 && version !== RESERVED_VERSION && layer !== 0;
  if (!isHeader || bitRate === 15 || rate === undefined) return undefined;
  const divisor = version === VERSION_1 ? 1 : version === VERSION_2 ? 2 : 4;
  return { codec: layer === 1 ? "MP3" : "MP2", sampleRate: rate / divisor, channels: bytes[3]! >> 6 === MONO ? 1 : 2 };
}

/** samplingFrequencyIndex, ISO/IEC 14496-3 table 1.18 */
const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
/** By channelConfiguration, table 1.19; 0: the frames say it themselves. */
const AAC_CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];
const ADTS_HEADER_BYTES = 7;

/** ISO/IEC 14496-3 section 1.A.2.2. */
function readAdts(bytes: Uint8Array): AudioFormat | undefined {
  // Syncword, and a layer of 0.
  if (bytes.length < ADTS_HEADER_BYTES || bytes[0] !== 0xff || (bytes[1]! & 0xf6) !== 0xf0) return undefined;
  const sampleRate = AAC_RATES[(bytes[2]! >> 2) & 0x0f];
  const channels = AAC_CHANNELS[((bytes[2]! & 1) << 2) | (bytes[3]! >> 6)]!;
  const frameBytes = ((bytes[3]! & 3) << 11) | (bytes[4]! << 3) | (bytes[5]! >> 5);
  return sampleRate === undefined || frameBytes < ADTS_HEADER_BYTES
    ? undefined
    : { codec: "AAC", sampleRate, channels };
}

const LOAS_SYNC = 0x2b7;
const ESCAPED_TYPE = 31;
const ESCAPED_RATE = 15;

/** AudioSyncStream, with the StreamMuxConfig of its first frame (ISO/IEC 14496-3 sections 1.7.2 and 1.7.3); versions but 0 are not used. */
function readLatm(bytes: Uint8Array): AudioFormat | undefined {
  const r = new BitReader(bytes);
  if (r.bits(11) !== LOAS_SYNC) return undefined;
  r.skip(13); // audioMuxLengthBytes
  const usesOther = r.flag();
  if (usesOther || r.flag()) return undefined; // useSameStreamMux, audioMuxVersion
  r.skip(1 + 6 + 4 + 3); // one time line, numSubFrames, numProgram, numLayer
  if (r.bits(5) === ESCAPED_TYPE) r.skip(6);
  const index = r.bits(4);
  const sampleRate = index === ESCAPED_RATE ? r.bits(24) : AAC_RATES[index];
  const channels = AAC_CHANNELS[r.bits(4)];
  const isRead = sampleRate !== undefined && sampleRate > 0 && channels !== undefined && !r.isBeyond;
  return isRead ? { codec: "AAC LATM", sampleRate, channels } : undefined;
}

const DOLBY_RATES = [48_000, 44_100, 32_000];
/** By acmod, ETSI TS 102 366 table 4.3. */
const DOLBY_CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
/** bsid: from here on it is E-AC-3, and up to there AC-3. */
const FIRST_ENHANCED = 11;
const LAST_ENHANCED = 16;
const LAST_PLAIN = 8;
const HALF_RATE = 3;

/** ETSI TS 102 366 sections 4.3 and E.1.2.2. Both have bsid at the same place. */
function readDolby(bytes: Uint8Array): AudioFormat | undefined {
  if (bytes.length < 8 || bytes[0] !== 0x0b || bytes[1] !== 0x77) return undefined;
  const bsid = bytes[5]! >> 3;
  if (bsid <= LAST_PLAIN) return readAc3(bytes);
  return bsid >= FIRST_ENHANCED && bsid <= LAST_ENHANCED ? readEac3(bytes) : undefined;
}

function readAc3(bytes: Uint8Array): AudioFormat | undefined {
  const sampleRate = DOLBY_RATES[bytes[4]! >> 6];
  const r = new BitReader(bytes.subarray(6));
  const mode = r.bits(3);
  if ((mode & 1) !== 0 && mode !== 1) r.skip(2); // cmixlev
  if ((mode & 4) !== 0) r.skip(2); // surmixlev
  if (mode === 2) r.skip(2); // dsurmod
  const channels = DOLBY_CHANNELS[mode]! + r.bit();
  return sampleRate === undefined ? undefined : { codec: "AC-3", sampleRate, channels };
}

function readEac3(bytes: Uint8Array): AudioFormat | undefined {
  const code = bytes[4]! >> 6;
  const half = DOLBY_RATES[(bytes[4]! >> 4) & 3];
  const sampleRate = code === HALF_RATE ? half && half / 2 : DOLBY_RATES[code];
  const channels = DOLBY_CHANNELS[(bytes[4]! >> 1) & 7]! + (bytes[4]! & 1);
  return sampleRate === undefined ? undefined : { codec: "E-AC-3", sampleRate, channels };
}
