/** Finds out what is in an MPEG transport stream from its first bytes (ISO/IEC 13818-1 section 2.4.4). */
import { type Codec, codecOf, isMpegAudio, mpegAudioCodec } from "../../wire/mpegts/codec.ts";
import {
  isUnitStart,
  PAT_PID,
  packetId,
  payloadOffset,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
} from "../../wire/mpegts/packet.ts";
import {
  type ElementaryStream,
  type Programme,
  parsePat,
  parsePmt,
  SectionReader,
} from "../../wire/mpegts/sections.ts";

/** PAT and PMT come several times a second: this is a second of a fast stream. */
const MAX_PROBE_BYTES = 2 * 1024 * 1024;
/** A stream may begin in the middle of a packet, but not much later. */
const MAX_SYNC_BYTES = 10 * TS_PACKET_BYTES;
/** How long a frame of MPEG audio is waited for before it is taken for layer 2, which television uses. */
const MAX_AUDIO_WAIT_BYTES = 128 * 1024;

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
  #programme: Programme | undefined;
  #tracks: OpenTrack[] | undefined;
  #pmtAt = 0;
  readonly #pat = new SectionReader((section) => {
    this.#programme ??= parsePat(section)?.[0];
  });
  readonly #pmt = new SectionReader((section) => this.#readPmt(section));

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
    if (pid === PAT_PID) this.#pat.push(this.#bytes, at);
    else if (pid === this.#programme?.pmtPid) this.#takePmtPacket(at);
    else if (isUnitStart(this.#bytes, at)) this.#takeFrame(pid, at);
  }

  #takePmtPacket(at: number): void {
    if (this.#tracks) return;
    this.#pmt.push(this.#bytes, at);
    this.#pmtAt = at;
  }

  #readPmt(section: Uint8Array): void {
    const map = parsePmt(section);
    if (map?.programme === this.#programme?.number) this.#tracks ??= map?.streams.flatMap(openTrack);
  }

  #takeFrame(pid: number, at: number): void {
    const track = this.#tracks?.find((open) => open.pid === pid && open.codec === undefined);
    if (!track) return;
    const payload = this.#bytes.subarray(payloadOffset(this.#bytes, at), at + TS_PACKET_BYTES);
    track.codec = mpegAudioCodec(payload.subarray(9 + (payload[8] ?? 0)));
  }

  #found(at: number): ProbedProgramme | undefined {
    const tracks = this.#tracks;
    if (!tracks || !this.#programme) return undefined;
    const isWaiting = tracks.some((track) => track.codec === undefined) && at - this.#pmtAt < MAX_AUDIO_WAIT_BYTES;
    if (isWaiting) return undefined;
    return {
      pmtPid: this.#programme.pmtPid,
      tracks: tracks.map((track) => ({ ...track, codec: track.codec ?? "MP2" })),
    };
  }
}

/** None when it is neither picture nor sound. */
function openTrack({ pid, type, descriptors }: ElementaryStream): OpenTrack[] {
  const codec = codecOf(type, descriptors);
  return codec || isMpegAudio(type) ? [{ pid, streamType: type, codec }] : [];
}

/** Three sync bytes at their distance; fewer bytes than that prove nothing yet. */
function findSync(bytes: Uint8Array): number | undefined {
  const isSync = (at: number) => bytes[at] === TS_SYNC_BYTE;
  for (let at = 0; at + 2 * TS_PACKET_BYTES < bytes.length && at < MAX_SYNC_BYTES; at++) {
    if (isSync(at) && isSync(at + TS_PACKET_BYTES) && isSync(at + 2 * TS_PACKET_BYTES)) return at;
  }
  return undefined;
}
