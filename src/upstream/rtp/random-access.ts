/** Watches a transport stream go by for PAT, PMT and pictures at which a decoder can begin. */
import {
  isUnitStart,
  isVideo,
  PAT_PID,
  packetId,
  startsDecodablePicture,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
} from "../../wire/mpegts/packet.ts";
import { presentationTime } from "../../wire/mpegts/pes.ts";
import { parsePat, parsePmt, SectionReader } from "../../wire/mpegts/sections.ts";

const NONE = -1;
/** A section of 1024 bytes needs six, unless its packets are half empty. */
const MAX_TABLE_PACKETS = 16;

export class RandomAccessWatch {
  /** PTS of the picture that `look` has found last, 33 bits of 90 kHz; undefined when it has none. */
  pts: number | undefined;
  readonly #pat = new TableWatch((section) => this.#readPat(section));
  readonly #pmt = new TableWatch((section) => this.#readPmt(section));
  /** Packets without unit start may belong to a table. */
  #isTableOpen = false;
  #programme = NONE;
  #pmtPid = NONE;
  #videoPid = NONE;
  #videoType = 0;

  /**
   * Looks at one payload.
   * @returns where in it a decoder can begin, in bytes, or -1; at most one place a payload, the first
   */
  look(bytes: Uint8Array, offset: number, length: number): number {
    const end = offset + length;
    let found = NONE;
    for (let at = offset; at + TS_PACKET_BYTES <= end; at += TS_PACKET_BYTES) {
      if (bytes[at] !== TS_SYNC_BYTE) return found;
      // Tables and pictures begin in packets with the unit start flag; outside of tables, all others cost this one test.
      if (!isUnitStart(bytes, at) && !this.#isTableOpen) continue;
      if (this.#packet(bytes, at) && found === NONE) {
        found = at - offset;
        this.pts = presentationTime(bytes, at);
      }
    }
    return found;
  }

  /** All packets of PAT and PMT as last seen: what a decoder needs before the picture. */
  preamble(): Uint8Array {
    const { packets: pat } = this.#pat;
    const { packets: pmt } = this.#pmt;
    return pat && pmt ? Buffer.concat([pat, pmt]) : new Uint8Array(0);
  }

  /** Whether a picture begins in this packet with which a decoder can begin. */
  #packet(bytes: Uint8Array, at: number): boolean {
    const pid = packetId(bytes, at);
    if (pid === this.#videoPid) return isUnitStart(bytes, at) && startsDecodablePicture(bytes, at, this.#videoType);
    if (pid === PAT_PID) this.#pat.push(bytes, at);
    else if (pid === this.#pmtPid) this.#pmt.push(bytes, at);
    else return false;
    this.#isTableOpen = this.#pat.isOpen || this.#pmt.isOpen;
    return false;
  }

  #readPat(section: Uint8Array): boolean {
    const programme = parsePat(section)?.[0];
    if (!programme) return false;
    if (programme.pmtPid !== this.#pmtPid || programme.number !== this.#programme) {
      this.#programme = programme.number;
      this.#pmtPid = programme.pmtPid;
      this.#videoPid = NONE;
      this.#pmt.forget();
    }
    return true;
  }

  #readPmt(section: Uint8Array): boolean {
    const map = parsePmt(section);
    // Several programmes may have their maps on one PID.
    if (map?.programme !== this.#programme) return false;
    const video = map.streams.find((stream) => isVideo(stream.type));
    this.#videoPid = video?.pid ?? NONE;
    this.#videoType = video?.type ?? 0;
    return true;
  }
}

/** Reads a table, and keeps the packets that its last section came in. */
class TableWatch {
  packets: Uint8Array | undefined;
  readonly #reader: SectionReader;
  /** The packets of the section that has not ended, and maybe others before them. */
  readonly #recent = new Uint8Array(MAX_TABLE_PACKETS * TS_PACKET_BYTES);
  #recentBytes = 0;

  /** @param read answers whether the section is the one that is looked for */
  constructor(read: (section: Uint8Array) => boolean) {
    this.#reader = new SectionReader((section, packets) => {
      if (packets <= MAX_TABLE_PACKETS && read(section)) this.#keep(packets * TS_PACKET_BYTES);
    });
  }

  get isOpen(): boolean {
    return this.#reader.isOpen;
  }

  push(bytes: Uint8Array, at: number): void {
    if (!this.isOpen) this.#recentBytes = 0;
    else if (this.#recentBytes === this.#recent.length) {
      this.#recent.copyWithin(0, TS_PACKET_BYTES);
      this.#recentBytes -= TS_PACKET_BYTES;
    }
    this.#recent.set(bytes.subarray(at, at + TS_PACKET_BYTES), this.#recentBytes);
    this.#recentBytes += TS_PACKET_BYTES;
    if (!this.#reader.push(bytes, at)) this.#recentBytes -= TS_PACKET_BYTES;
  }

  forget(): void {
    this.packets = undefined;
    this.#reader.reset();
  }

  #keep(length: number): void {
    if (this.packets?.length !== length) this.packets = new Uint8Array(length);
    this.packets.set(this.#recent.subarray(this.#recentBytes - length, this.#recentBytes));
  }
}
