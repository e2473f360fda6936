/** Finds out what is in an MPEG transport stream from its first bytes (ISO/IEC 13818-1 section 2.4.4). */
import {
  isUnitStart,
  PAT_PID,
  packetId,
  payloadOffset,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
} from "../../wire/mpegts/packet.ts";
import { type Codec, codecOf, isMpegAudio, mpegAudioCodec } from "./codecs.ts";

/** PAT and PMT come several times a second: this is a second of a fast stream. */
export const MAX_PROBE_BYTES = 2 * 1024 * 1024;
/** A stream may begin in the middle of a packet, but not much later. */
const MAX_SYNC_BYTES = 10 * TS_PACKET_BYTES;
/** How long a frame of MPEG audio is waited for before it is taken for layer 2, which television uses. */
const MAX_AUDIO_WAIT_BYTES = 128 * 1024;

const PAT_TABLE = 0;
const PMT_TABLE = 2;

export interface ProbedTrack {
  readonly pid: number;
  readonly streamType: number;
  readonly codec: Codec;
}

export interface ProbedProgramme {
  readonly pmtPid: number;
  /** Picture and sound, in the order of the PMT. */
  readonly tracks: readonly ProbedTrack[];
}

interface OpenTrack {
  readonly pid: number;
  readonly streamType: number;
  codec: Codec | undefined;
}

export class TsProbe {
  /** Grows as long as nothing is found. */
  #bytes = new Uint8Array(0);
  #at: number | undefined;
  #pmtPid: number | undefined;
  #tracks: OpenTrack[] | undefined;
  #pmtAt = 0;
  readonly #sections = new Map<number, SectionReader>();

  /** All that was pushed, for whoever plays it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Returns undefined as long as more bytes are needed. */
  push(chunk: Uint8Array): ProbedProgramme | "not-ts" | undefined {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    this.#at ??= findSync(joined);
    if (this.#at === undefined) return joined.length >= MAX_SYNC_BYTES ? "not-ts" : undefined;
    for (; this.#at + TS_PACKET_BYTES <= joined.length; this.#at += TS_PACKET_BYTES) {
      if (joined[this.#at] !== TS_SYNC_BYTE) return "not-ts";
      this.#takePacket(this.#at);
      const found = this.#found(this.#at);
      if (found) return found;
    }
    return joined.length >= MAX_PROBE_BYTES ? "not-ts" : undefined;
  }

  #takePacket(at: number): void {
    const pid = packetId(this.#bytes, at);
    const payload = this.#bytes.subarray(payloadOffset(this.#bytes, at), at + TS_PACKET_BYTES);
    if (pid === PAT_PID || pid === this.#pmtPid) {
      const section = this.#sectionReader(pid).push(payload, isUnitStart(this.#bytes, at));
      if (section && pid === PAT_PID) this.#pmtPid ??= pmtPidOf(section);
      else if (section && !this.#tracks) {
        this.#tracks = tracksOf(section);
        this.#pmtAt = at;
      }
      return;
    }
    const track = this.#tracks?.find((open) => open.pid === pid && open.codec === undefined);
    if (track && isUnitStart(this.#bytes, at)) track.codec = mpegAudioCodec(payload.subarray(9 + (payload[8] ?? 0)));
  }

  #sectionReader(pid: number): SectionReader {
    const known = this.#sections.get(pid) ?? new SectionReader();
    this.#sections.set(pid, known);
    return known;
  }

  #found(at: number): ProbedProgramme | undefined {
    const tracks = this.#tracks;
    if (!tracks || this.#pmtPid === undefined) return undefined;
    const isWaiting = tracks.some((track) => track.codec === undefined) && at - this.#pmtAt < MAX_AUDIO_WAIT_BYTES;
    if (isWaiting) return undefined;
    return { pmtPid: this.#pmtPid, tracks: tracks.map((track) => ({ ...track, codec: track.codec ?? "MP2" })) };
  }
}

/** Puts a section together that lies in one packet or in several. */
class SectionReader {
  #held: number[] = [];
  #isOpen = false;

  push(payload: Uint8Array, isStart: boolean): Uint8Array | undefined {
    if (isStart) {
      this.#held = [...payload.subarray(1 + (payload[0] ?? 0))];
      this.#isOpen = true;
    } else if (this.#isOpen) this.#held.push(...payload);
    if (!this.#isOpen || this.#held.length < 3) return undefined;
    const length = 3 + (((this.#held[1]! & 0x0f) << 8) | this.#held[2]!);
    if (this.#held.length < length) return undefined;
    this.#isOpen = false;
    return Uint8Array.from(this.#held.slice(0, length));
  }
}

/** Of the first programme; the network's own entry has number 0. */
function pmtPidOf(section: Uint8Array): number | undefined {
  if (section[0] !== PAT_TABLE) return undefined;
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    if (section[at] !== 0 || section[at + 1] !== 0) return ((section[at + 2]! & 0x1f) << 8) | section[at + 3]!;
  }
  return undefined;
}

function tracksOf(section: Uint8Array): OpenTrack[] | undefined {
  if (section[0] !== PMT_TABLE || section.length < 16) return undefined;
  const tracks: OpenTrack[] = [];
  let at = 12 + (((section[10]! & 0x0f) << 8) | section[11]!);
  while (at + 5 <= section.length - 4) {
    const streamType = section[at]!;
    const pid = ((section[at + 1]! & 0x1f) << 8) | section[at + 2]!;
    const end = at + 5 + (((section[at + 3]! & 0x0f) << 8) | section[at + 4]!);
    const codec = codecOf(streamType, section.subarray(at + 5, Math.min(end, section.length - 4)));
    if (codec || isMpegAudio(streamType)) tracks.push({ pid, streamType, codec });
    at = end;
  }
  return tracks;
}

/** Three sync bytes at their distance; fewer bytes than that prove nothing yet. */
function findSync(bytes: Uint8Array): number | undefined {
  const isSync = (at: number) => bytes[at] === TS_SYNC_BYTE;
  for (let at = 0; at + 2 * TS_PACKET_BYTES < bytes.length && at < MAX_SYNC_BYTES; at++) {
    if (isSync(at) && isSync(at + TS_PACKET_BYTES) && isSync(at + 2 * TS_PACKET_BYTES)) return at;
  }
  return undefined;
}
