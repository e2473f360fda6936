/** One elementary stream as it is looked at: what the tables say of it, and what the headers in it do. */
import { type AudioFormat, audioFormat } from "./audio-format.ts";
import { type Codec, codecOf, isMpegAudio, kindOf } from "./codec.ts";
import { isUnitStart, payloadOffset, TS_PACKET_BYTES } from "./packet.ts";
import type { ElementaryStream } from "./sections.ts";
import { descriptorsIn } from "./services.ts";
import type { VideoFormat } from "./video-format.ts";
import { videoFormat } from "./video-headers.ts";

type StreamKind = "video" | "audio" | "subtitles" | "teletext" | "data";

/** Headers stand at the beginning of a PES packet, behind others that may be long. */
const SAMPLE_BYTES = 4096;
/** A header that was read is read again behind so many PES packets: a programme may follow in another format. */
const REREAD_UNITS = 250;
/** What has not been found so often is looked for less often: a number that is no part of the usual distances of key frames. */
const PATIENCE_UNITS = 50;
const RETRY_UNITS = 18;
const CLOCK_HZ = 90_000;

/** ISO_639_language_descriptor (ISO/IEC 13818-1 section 2.6.18). */
const LANGUAGE = 0x0a;
/** ETSI EN 300 468 table 12. */
const TELETEXT = 0x56;
const SUBTITLING = 0x59;
const LANGUAGE_CODE = /^[A-Za-z]{3}$/;

export class Elementary {
  readonly pid: number;
  /** stream_type */
  readonly type: number;
  readonly kind: StreamKind;
  /** ISO 639-2; empty: not said. */
  readonly language: string;
  video: VideoFormat | undefined;
  audio: AudioFormat | undefined;
  readonly #descriptors: Uint8Array;
  readonly #listed: Codec | undefined;
  /** Whether the packets that follow are of use: a header is looked for in them. */
  isSampling = false;
  #sample: Uint8Array | undefined;
  #sampled = 0;
  #unitsLeft = 0;
  #misses = 0;
  /** Of the PES packet before; and the least that one has moved on by, in 90 kHz. */
  #timestamp: number | undefined;
  #leastStep = Number.POSITIVE_INFINITY;

  constructor({ pid, type, descriptors }: ElementaryStream) {
    this.pid = pid;
    this.type = type;
    this.#descriptors = descriptors.slice();
    this.#listed = codecOf(type, descriptors) ?? (isMpegAudio(type) ? "MP2" : undefined);
    this.kind = this.#listed ? kindOf(this.#listed) : kindIn(descriptors);
    this.language = languageIn(descriptors);
  }

  /** Whether a PMT still says the same of it. */
  describes({ pid, type, descriptors }: ElementaryStream): boolean {
    return pid === this.pid && type === this.type && Buffer.compare(descriptors, this.#descriptors) === 0;
  }

  get codec(): Codec | undefined {
    return this.audio?.codec ?? this.video?.codec ?? this.#listed;
  }

  /** Pictures a second; where no header says it, as PES packets follow each other. */
  get frameRate(): number | undefined {
    if (!this.video) return undefined;
    return this.video.frameRate ?? (this.#leastStep < CLOCK_HZ ? rounded(CLOCK_HZ / this.#leastStep) : undefined);
  }

  /** Whether it is one that a PTS belongs to at all times. */
  get isTimed(): boolean {
    return this.kind === "video" || this.kind === "audio";
  }

  /** A packet of this stream that is not scrambled: a unit start, or any while `isSampling`. */
  packet(bytes: Uint8Array, at: number): void {
    const start = payloadOffset(bytes, at);
    const end = at + TS_PACKET_BYTES;
    if (isUnitStart(bytes, at)) {
      this.#readSample();
      if (this.isTimed && this.#unitsLeft-- <= 0) this.#begin(bytes, start, end);
    } else if (this.isSampling) this.#take(bytes, start, end);
  }

  /** Packets are missing: what has been gathered does not go on. */
  broken(): void {
    this.#readSample();
    this.#timestamp = undefined;
  }

  /** A PES packet begins, with this DTS, or PTS where it has none (90 kHz). */
  timed(timestamp: number): void {
    const step = this.#timestamp === undefined ? 0 : timestamp - this.#timestamp;
    if (step > 0 && step < this.#leastStep) this.#leastStep = step;
    this.#timestamp = timestamp;
  }

  #begin(bytes: Uint8Array, start: number, end: number): void {
    const headerBytes = start + 9 <= end ? 9 + bytes[start + 8]! : 0;
    this.#sample ??= new Uint8Array(SAMPLE_BYTES);
    this.isSampling = true;
    this.#sampled = 0;
    this.#unitsLeft = 0;
    this.#take(bytes, Math.min(end, start + headerBytes), end);
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    const taken = Math.min(end - start, SAMPLE_BYTES - this.#sampled);
    this.#sample?.set(bytes.subarray(start, start + taken), this.#sampled);
    this.#sampled += taken;
    if (this.#sampled === SAMPLE_BYTES) this.#readSample();
  }

  #readSample(): void {
    const codec = this.codec;
    if (!this.isSampling || !this.#sample || !codec) return;
    this.isSampling = false;
    const sample = this.#sample.subarray(0, this.#sampled);
    const video = videoFormat(codec, sample);
    const audio = audioFormat(codec, sample);
    this.video = video ?? this.video;
    this.audio = audio ?? this.audio;
    const isFound = video !== undefined || audio !== undefined;
    this.#misses = isFound ? 0 : this.#misses + 1;
    this.#unitsLeft = isFound ? REREAD_UNITS : this.#misses < PATIENCE_UNITS ? 0 : RETRY_UNITS;
  }
}

function rounded(rate: number): number {
  return Math.round(rate * 1000) / 1000;
}

function kindIn(descriptors: Uint8Array): StreamKind {
  for (const [tag] of descriptorsIn(descriptors)) {
    if (tag === SUBTITLING) return "subtitles";
    if (tag === TELETEXT) return "teletext";
  }
  return "data";
}

function languageIn(descriptors: Uint8Array): string {
  for (const [tag, body] of descriptorsIn(descriptors)) {
    const code = String.fromCharCode(...body.subarray(0, 3));
    if ((tag === LANGUAGE || tag === TELETEXT || tag === SUBTITLING) && LANGUAGE_CODE.test(code))
      return code.toLowerCase();
  }
  return "";
}
