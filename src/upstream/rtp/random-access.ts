/** Watches a transport stream go by for PAT, PMT and pictures at which a decoder can begin. */
import {
  isUnitStart,
  isVideo,
  PAT_PID,
  packetId,
  pmtPidOfPat,
  startsDecodablePicture,
  streamsOfPmt,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
} from "../../wire/mpegts/packet.ts";

const NONE = -1;

export class RandomAccessWatch {
  #pmtPid = NONE;
  #videoPid = NONE;
  #videoType = 0;
  #pat: Uint8Array | undefined;
  #pmt: Uint8Array | undefined;

  /**
   * Looks at one payload.
   * @returns where in it a decoder can begin, in bytes, or -1; at most one place a payload, the first
   */
  look(bytes: Uint8Array, offset: number, length: number): number {
    const end = offset + length;
    let found = NONE;
    for (let at = offset; at + TS_PACKET_BYTES <= end; at += TS_PACKET_BYTES) {
      if (bytes[at] !== TS_SYNC_BYTE) return found;
      // Tables and pictures begin in packets with the unit start flag; all others cost this one test.
      if (isUnitStart(bytes, at) && this.#unitStart(bytes, at) && found === NONE) found = at - offset;
    }
    return found;
  }

  /** PAT and PMT as last seen: what a decoder needs before the picture. */
  preamble(): Uint8Array {
    return this.#pat && this.#pmt ? Buffer.concat([this.#pat, this.#pmt]) : new Uint8Array(0);
  }

  #unitStart(bytes: Uint8Array, at: number): boolean {
    const pid = packetId(bytes, at);
    if (pid === this.#videoPid) return startsDecodablePicture(bytes, at, this.#videoType);
    if (pid === PAT_PID) this.#readPat(bytes, at);
    else if (pid === this.#pmtPid) this.#readPmt(bytes, at);
    return false;
  }

  #readPat(bytes: Uint8Array, at: number): void {
    const pmtPid = pmtPidOfPat(bytes, at);
    if (pmtPid === undefined) return;
    if (pmtPid !== this.#pmtPid) {
      this.#pmtPid = pmtPid;
      this.#videoPid = NONE;
      this.#pmt = undefined;
    }
    this.#pat = keep(this.#pat, bytes, at);
  }

  #readPmt(bytes: Uint8Array, at: number): void {
    const streams = streamsOfPmt(bytes, at);
    if (!streams) return;
    const video = streams.find((s) => isVideo(s.type));
    this.#videoPid = video?.pid ?? NONE;
    this.#videoType = video?.type ?? 0;
    this.#pmt = keep(this.#pmt, bytes, at);
  }
}

function keep(place: Uint8Array | undefined, bytes: Uint8Array, at: number): Uint8Array {
  const packet = place ?? new Uint8Array(TS_PACKET_BYTES);
  packet.set(bytes.subarray(at, at + TS_PACKET_BYTES));
  return packet;
}
