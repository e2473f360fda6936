/** Which tracks of a programme are played, and how the demuxer is made to take these. */
import { AC3_TYPE, type Codec, E_AC3_TYPE, kindOf, PRIVATE_PES } from "../../wire/mpegts/codec.ts";
import { isUnitStart, packetId, payloadOffset, TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../wire/mpegts/packet.ts";
import { type IsTypeSupported, isPlayable } from "./codecs.ts";
import type { ProbedProgramme, ProbedTrack } from "./ts-probe.ts";

/** A stream_type that is user private (ISO/IEC 13818-1 table 2-34), which a demuxer passes over. */
const HIDDEN_TYPE = 0xff;

export interface TrackChoice {
  readonly video: Codec | undefined;
  readonly audio: Codec | undefined;
  /** There is one, and the browser decodes none. */
  readonly unplayableVideo: Codec | undefined;
  readonly unplayableAudio: Codec | undefined;
  /** PID → stream_type that the demuxer shall see instead of what the PMT says. */
  readonly retyped: ReadonlyMap<number, number>;
}

/** The first picture and the first sound that the browser decodes. */
export function chooseTracks({ tracks }: ProbedProgramme, isTypeSupported: IsTypeSupported): TrackChoice {
  const ofKind = (kind: "video" | "audio") => tracks.filter((track) => kindOf(track.codec) === kind);
  const playable = (track: ProbedTrack) => isPlayable(track.codec, isTypeSupported);
  const video = ofKind("video").find(playable);
  const audio = ofKind("audio").find(playable);
  const retyped = new Map<number, number>();
  for (const track of ofKind("audio")) {
    const type = track === audio ? demuxedType(track) : HIDDEN_TYPE;
    if (type !== track.streamType) retyped.set(track.pid, type);
  }
  return {
    video: video?.codec,
    audio: audio?.codec,
    unplayableVideo: video ? undefined : ofKind("video")[0]?.codec,
    unplayableAudio: audio ? undefined : ofKind("audio")[0]?.codec,
    retyped,
  };
}

/** Demuxers know Dolby by the types of ATSC, not by the descriptors of DVB. */
function demuxedType({ streamType, codec }: ProbedTrack): number {
  if (streamType !== PRIVATE_PES) return streamType;
  if (codec === "AC-3") return AC3_TYPE;
  return codec === "E-AC-3" ? E_AC3_TYPE : streamType;
}

/** Writes other stream types into the PMTs of a stream that passes. The CRC is left as it is: the demuxer does not look. */
export class TsRetyper {
  readonly #pmtPid: number;
  readonly #retyped: ReadonlyMap<number, number>;
  #carry = new Uint8Array(0);

  constructor(pmtPid: number, retyped: ReadonlyMap<number, number>) {
    this.#pmtPid = pmtPid;
    this.#retyped = retyped;
  }

  /** Whole packets; what is left of the last one comes with the next chunk. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#carry.length + chunk.length);
    bytes.set(this.#carry);
    bytes.set(chunk, this.#carry.length);
    let at = 0;
    while (at + TS_PACKET_BYTES <= bytes.length) {
      if (bytes[at] !== TS_SYNC_BYTE) {
        at++;
        continue;
      }
      if (packetId(bytes, at) === this.#pmtPid) this.#retype(bytes, at);
      at += TS_PACKET_BYTES;
    }
    this.#carry = bytes.slice(at);
    return bytes.slice(0, at);
  }

  #retype(bytes: Uint8Array, packetAt: number): void {
    const start = payloadOffset(bytes, packetAt) + (isUnitStart(bytes, packetAt) ? 1 : 0);
    for (const [pid, type] of this.#retyped) {
      const entry = entryOf(bytes, start, packetAt + TS_PACKET_BYTES, pid);
      if (entry !== undefined) bytes[entry] = type;
    }
  }
}

/** Where a PMT lists the PID: three bits that are set stand before its 13 bits. */
function entryOf(bytes: Uint8Array, start: number, end: number, pid: number): number | undefined {
  const high = 0xe0 | (pid >> 8);
  // Before the entries stands PCR_PID, which has the same form: 8 bytes into the section.
  for (let at = start + 12; at + 3 <= end; at++)
    if (bytes[at + 1] === high && bytes[at + 2] === (pid & 0xff)) return at;
  return undefined;
}
