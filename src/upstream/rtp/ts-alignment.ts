/** Makes whole TS packets of a transport stream that comes cut anywhere, with or without bytes between the packets (multicast.md section 6). */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { isTransportStream, TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../wire/mpegts/packet.ts";
import { findTsPhase, PLAIN_FRAMING, type TsFraming } from "../../wire/mpegts/phase.ts";
import { isRtcp } from "../../wire/rtp/rtcp.ts";
import type { PayloadSink } from "./reorder.ts";

/** The largest datagram, and what was carried before it. */
const WHOLE_BYTES = 65_536 + TS_PACKET_BYTES;
const LONGEST_FRAME_BYTES = 256;
/** Packets that must be seen to find the phase in one piece, and in several that may not belong together. */
const SURE_PACKETS = 3;
const SURER_PACKETS = 4;
/** Pieces without a phase of their own are searched together. */
const SEARCHED_BYTES = 3072;
/** Of each piece, so many packets are looked at. */
const LOOKED_AT = 3;

export class TsAlignment {
  readonly #sink: PayloadSink;
  #framing: TsFraming | undefined;
  /** The beginning of a frame, of which the rest is to come. */
  #carry: Memory | undefined;
  #carried = 0;
  /** What the packets of one piece are put together in. */
  #whole: Memory | undefined;
  #searched: Memory | undefined;
  #searchedBytes = 0;
  #searchedPieces = 0;

  /** @param sink takes whole packets, one or more at a time */
  constructor(sink: PayloadSink) {
    this.#sink = sink;
  }

  /** Whether what comes is known to be a transport stream. */
  get isFound(): boolean {
    return this.#framing !== undefined;
  }

  /** Packets come whole and without anything between them, as they do nearly everywhere. */
  get isPlain(): boolean {
    return this.#framing === PLAIN_FRAMING && this.#carried === 0;
  }

  /** Pieces have been kept that may be a transport stream together with the next. */
  get isSearching(): boolean {
    return this.#searchedPieces > 0;
  }

  /** Whether a piece goes on where the last one ended. */
  fits(bytes: Uint8Array, offset: number, length: number): boolean {
    const framing = this.#framing;
    if (!framing) return false;
    const { lead } = framing;
    const first = this.#carried > lead ? framing.bytes - this.#carried + lead : lead - this.#carried;
    if (first >= length) return this.#carried > 0 && !isRtcp(bytes, offset, length);
    for (let i = 0, at = first; i < LOOKED_AT && at < length; i++, at += framing.bytes) {
      if (bytes[offset + at] !== TS_SYNC_BYTE) return false;
    }
    return true;
  }

  /** Takes a piece that goes on, or that shows a phase of its own. False: it is no transport stream, as far as it alone can tell. */
  take(memory: Memory, offset: number, length: number): boolean {
    const { bytes } = memory;
    if (this.#framing && this.fits(bytes, offset, length)) {
      this.#cut(this.#framing, memory, offset, length);
      return true;
    }
    if (isTransportStream(bytes, offset, length)) {
      this.#begin(PLAIN_FRAMING, memory, offset, length);
      return true;
    }
    const phase = findTsPhase(bytes, offset, length, SURE_PACKETS);
    if (phase) this.#begin(phase.framing, memory, offset + phase.start, length - phase.start);
    return phase !== undefined;
  }

  /**
   * Looks at a piece that was not taken together with those before it.
   * @returns how many of them now prove to be a transport stream, and have been taken
   */
  search(memory: Memory, offset: number, length: number): number {
    this.#searched ??= allocate(SEARCHED_BYTES);
    if (length > SEARCHED_BYTES) return 0;
    if (this.#searchedBytes + length > SEARCHED_BYTES) this.#forgetSearched();
    copyBytes(this.#searched, this.#searchedBytes, memory, offset, length);
    this.#searchedBytes += length;
    this.#searchedPieces++;
    const phase = findTsPhase(this.#searched.bytes, 0, this.#searchedBytes, SURER_PACKETS);
    if (!phase) return 0;
    const pieces = this.#searchedPieces;
    this.#begin(phase.framing, this.#searched, phase.start, this.#searchedBytes - phase.start);
    return pieces;
  }

  /** What comes next is another stream. */
  reset(): void {
    this.#framing = undefined;
    this.#carried = 0;
    this.#forgetSearched();
  }

  #forgetSearched(): void {
    this.#searchedBytes = this.#searchedPieces = 0;
  }

  #begin(framing: TsFraming, memory: Memory, offset: number, length: number): void {
    this.#framing = framing;
    this.#carried = 0;
    this.#forgetSearched();
    if (length > 0) this.#cut(framing, memory, offset, length);
  }

  #cut(framing: TsFraming, memory: Memory, offset: number, length: number): void {
    if (this.isPlain && length % TS_PACKET_BYTES === 0) {
      this.#sink.payload(memory, offset, length);
      return;
    }
    this.#carry ??= allocate(LONGEST_FRAME_BYTES);
    this.#whole ??= allocate(WHOLE_BYTES);
    const end = offset + length;
    let at = offset;
    let count = 0;
    if (this.#carried > 0) {
      const missing = Math.min(framing.bytes - this.#carried, length);
      copyBytes(this.#carry, this.#carried, memory, at, missing);
      this.#carried += missing;
      at += missing;
      if (this.#carried < framing.bytes) return;
      copyBytes(this.#whole, 0, this.#carry, framing.lead, TS_PACKET_BYTES);
      count = TS_PACKET_BYTES;
    }
    for (; end - at >= framing.bytes; at += framing.bytes, count += TS_PACKET_BYTES) {
      copyBytes(this.#whole, count, memory, at + framing.lead, TS_PACKET_BYTES);
    }
    this.#carried = end - at;
    if (this.#carried > 0) copyBytes(this.#carry, 0, memory, at, this.#carried);
    if (count > 0) this.#sink.payload(this.#whole, 0, count);
  }
}
