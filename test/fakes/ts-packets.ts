/**
 * Verifiable MPEG-TS: 188-byte packets that say which stream they belong to, their place in it, and their checksum.
 *
 * A stream is a pure function of stream id and counter. It repeats every `interval` packets: PAT, PMT, the first packet
 * of an H.264 key frame (a random access point, if wanted), then video. The tag lies in the private data of the
 * adaptation field (ISO/IEC 13818-1, section 2.4.3.4), so every packet is valid MPEG-TS with right continuity counters.
 */
import { patSection, pmtSection } from "./psi.ts";

export const TS_PACKET_BYTES = 188;
export const TS_SYNC_BYTE = 0x47;
export const PAT_PID = 0x0000;
export const PMT_PID = 0x0100;
export const VIDEO_PID = 0x0101;

const PROGRAM_NUMBER = 1;
const STREAM_TYPE_H264 = 0x1b;
const DEFAULT_INTERVAL = 100;

// Offsets of the adaptation field: length, flags, PCR (6 bytes), private data length, then the tag.
const FLAGS_OFFSET = 5;
const PCR_OFFSET = 6;
const PRIVATE_LENGTH_OFFSET = 12;
const TAG_OFFSET = 13;
const STREAM_ID_OFFSET = TAG_OFFSET + 4;
const COUNTER_OFFSET = TAG_OFFSET + 8;
const CHECKSUM_OFFSET = TAG_OFFSET + 12;
const PAYLOAD_OFFSET = TAG_OFFSET + 16;

const FLAG_RANDOM_ACCESS = 0x40;
const FLAG_PCR = 0x10;
const FLAG_PRIVATE_DATA = 0x02;
const TAG_MAGIC = 0x534c4345;
const PCR_HZ = 27_000_000;
/** The clock of the stream: a nominal 1000 TS packets a second (1.5 Mb/s). */
const PACKETS_PER_SECOND = 1000;

const SECTION_FILLER = 0xff;

const PAT_SECTION = Uint8Array.from([0, ...patSection([[PROGRAM_NUMBER, PMT_PID]])]);
const PMT_SECTION = Uint8Array.from([
  0,
  ...pmtSection([{ type: STREAM_TYPE_H264, pid: VIDEO_PID }], { programme: PROGRAM_NUMBER, pcrPid: VIDEO_PID }),
]);
/** PES header, access unit delimiter, and the start of an IDR slice. */
const KEY_FRAME = Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0, 0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x65, 0x88]);

export type TsPacketKind = "pat" | "pmt" | "random-access" | "video";

export interface TsStream {
  /** 0 to 2^32-1. */
  readonly streamId: number;
  /** TS packets from one PAT to the next, at least 3. Default 100. */
  readonly interval?: number;
  /** Whether each interval has a random access point after its PMT. Default true. */
  readonly randomAccess?: boolean;
}

/** What a verified packet says about itself. */
export interface TsTag {
  readonly streamId: number;
  readonly counter: number;
  readonly kind: TsPacketKind;
}

/** The packet number `counter` (0 to 2^32-1) of `stream`, in memory of its own. */
export function tsPacket(stream: TsStream, counter: number): Uint8Array {
  const packet = new Uint8Array(TS_PACKET_BYTES);
  writeTsPacket(packet, 0, stream, counter);
  return packet;
}

/** `count` consecutive packets of `stream`, beginning with number `first`. */
export function tsPackets(stream: TsStream, first: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * TS_PACKET_BYTES);
  for (let i = 0; i < count; i++) writeTsPacket(bytes, i * TS_PACKET_BYTES, stream, first + i);
  return bytes;
}

/** Reads and checks the packet at `offset`. Returns undefined if it is cut short, damaged, or not one of ours. */
export function readTsPacket(bytes: Uint8Array, offset = 0): TsTag | undefined {
  if (bytes[offset] !== TS_SYNC_BYTE || offset + TS_PACKET_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, TS_PACKET_BYTES);
  if (view.getUint32(TAG_OFFSET) !== TAG_MAGIC) return undefined;
  const packet = bytes.subarray(offset, offset + TS_PACKET_BYTES);
  if (view.getUint32(CHECKSUM_OFFSET) !== checksum(packet)) return undefined;
  return { streamId: view.getUint32(STREAM_ID_OFFSET), counter: view.getUint32(COUNTER_OFFSET), kind: kindOf(view) };
}

function kindOf(view: DataView): TsPacketKind {
  const pid = view.getUint16(1) & 0x1fff;
  if (pid === PAT_PID) return "pat";
  if (pid === PMT_PID) return "pmt";
  return (view.getUint8(FLAGS_OFFSET) & FLAG_RANDOM_ACCESS) !== 0 ? "random-access" : "video";
}

function writeTsPacket(bytes: Uint8Array, offset: number, stream: TsStream, counter: number): void {
  const interval = stream.interval ?? DEFAULT_INTERVAL;
  const period = Math.floor(counter / interval);
  const place = counter % interval;
  const packet = bytes.subarray(offset, offset + TS_PACKET_BYTES);
  if (place === 0) fillPacket(packet, PAT_PID, period, PAT_SECTION, SECTION_FILLER);
  else if (place === 1) fillPacket(packet, PMT_PID, period, PMT_SECTION, SECTION_FILLER);
  else {
    const unitStart = place === 2 && stream.randomAccess !== false ? KEY_FRAME : undefined;
    fillPacket(packet, VIDEO_PID, period * (interval - 2) + place - 2, unitStart, videoFiller(counter));
  }
  const view = new DataView(packet.buffer, packet.byteOffset, TS_PACKET_BYTES);
  writePcr(view, counter);
  view.setUint32(TAG_OFFSET, TAG_MAGIC);
  view.setUint32(STREAM_ID_OFFSET, stream.streamId);
  view.setUint32(COUNTER_OFFSET, counter);
  view.setUint32(CHECKSUM_OFFSET, checksum(packet));
}

/** Writes header, adaptation field and payload. `unitStart` is the payload that begins a section or PES packet. */
function fillPacket(
  packet: Uint8Array,
  pid: number,
  continuity: number,
  unitStart: Uint8Array | undefined,
  filler: number,
): void {
  packet[0] = TS_SYNC_BYTE;
  packet[1] = (unitStart === undefined ? 0 : 0x40) | (pid >> 8);
  packet[2] = pid & 0xff;
  packet[3] = 0x30 | (continuity & 0x0f);
  packet[4] = PAYLOAD_OFFSET - FLAGS_OFFSET;
  // Every packet carries a PCR, although only the video needs one: so the tag has a fixed place.
  packet[FLAGS_OFFSET] = FLAG_PCR | FLAG_PRIVATE_DATA | (unitStart === KEY_FRAME ? FLAG_RANDOM_ACCESS : 0);
  packet[PRIVATE_LENGTH_OFFSET] = PAYLOAD_OFFSET - TAG_OFFSET;
  packet.fill(filler, PAYLOAD_OFFSET);
  if (unitStart !== undefined) packet.set(unitStart, PAYLOAD_OFFSET);
}

/** Differs between neighbours, so that mixed-up halves are noticed; is neither a sync byte nor part of a start code. */
function videoFiller(counter: number): number {
  return 0x80 | (counter & 0x3f);
}

/** Program clock reference: 33 bits of 90 kHz, 6 reserved, 9 bits of 27 MHz. */
function writePcr(view: DataView, counter: number): void {
  const ticks = Math.floor((counter * PCR_HZ) / PACKETS_PER_SECOND);
  const base = Math.floor(ticks / 300) % 2 ** 33;
  view.setUint32(PCR_OFFSET, Math.floor(base / 2));
  view.setUint16(PCR_OFFSET + 4, ((base & 1) << 15) | 0x7e00 | (ticks % 300));
}

/** CRC-32 of the packet without the four bytes that hold it. */
function checksum(packet: Uint8Array): number {
  const before = Bun.hash.crc32(packet.subarray(0, CHECKSUM_OFFSET));
  return Bun.hash.crc32(packet.subarray(PAYLOAD_OFFSET), before);
}
