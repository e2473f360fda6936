/** Counts breaks of the continuity counters in a transport stream (ISO/IEC 13818-1 section 2.4.3.3), however it is cut into pieces. */
import { isTransportStream, packetId, TS_PACKET_BYTES, TS_SYNC_BYTE } from "./packet.ts";

const NULL_PID = 0x1fff;
const UNKNOWN = -1;
/** Set in what is remembered of a PID: its last packet has come twice, which is allowed once. */
const REPEATED = 0x10;
/** In the middle of a stream, one sync byte proves nothing. */
const SEARCH_PACKETS = 3;

export class TsContinuity {
  /** Grows for as long as this lives. */
  errors = 0;
  /** By PID: the last counter. */
  readonly #counters = new Int8Array(NULL_PID + 1).fill(UNKNOWN);
  /** The beginning of a packet whose end has not come. */
  readonly #partial = new Uint8Array(TS_PACKET_BYTES);
  #partialLength = 0;
  #isInSync = false;

  look(bytes: Uint8Array, offset: number, length: number): void {
    const end = offset + length;
    let at = offset + this.#completePartial(bytes, offset, length);
    while (at < end) {
      if (!this.#isInSync) {
        at = this.#findSync(bytes, at, end);
        if (at === end) return;
      }
      if (at + TS_PACKET_BYTES > end) {
        this.#partial.set(bytes.subarray(at, end));
        this.#partialLength = end - at;
        return;
      }
      if (this.#packet(bytes, at)) at += TS_PACKET_BYTES;
    }
  }

  /** Bytes are missing before the next ones, through no fault of the stream. */
  missed(): void {
    this.#isInSync = false;
    this.#partialLength = 0;
    this.#counters.fill(UNKNOWN);
  }

  /** Answers how many bytes belonged to the packet whose beginning was kept. */
  #completePartial(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#partialLength === 0) return 0;
    const rest = Math.min(length, TS_PACKET_BYTES - this.#partialLength);
    this.#partial.set(bytes.subarray(offset, offset + rest), this.#partialLength);
    this.#partialLength += rest;
    if (this.#partialLength === TS_PACKET_BYTES) {
      this.#partialLength = 0;
      this.#packet(this.#partial, 0);
    }
    return rest;
  }

  /** Where packets begin, or `end`. A piece usually begins with one, and may be short then. */
  #findSync(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (!isTransportStream(bytes, at, end - at, at === start ? 1 : SEARCH_PACKETS)) continue;
      this.#isInSync = true;
      return at;
    }
    return end;
  }

  /** False when there is none, which ends the synchronisation. */
  #packet(bytes: Uint8Array, at: number): boolean {
    if (bytes[at] !== TS_SYNC_BYTE) {
      this.missed();
      return false;
    }
    const pid = packetId(bytes, at);
    // The transport_error_indicator says that nothing here can be trusted.
    if (pid !== NULL_PID && (bytes[at + 1]! & 0x80) === 0) this.#count(bytes, at, pid);
    return true;
  }

  #count(bytes: Uint8Array, at: number, pid: number): void {
    const flags = bytes[at + 3]!;
    const counter = flags & 0x0f;
    const hasPayload = (flags & 0x10) !== 0;
    const isAnnounced = (flags & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x80) !== 0;
    const before = this.#counters[pid]!;
    const last = before & 0x0f;
    this.#counters[pid] = counter;
    if (before === UNKNOWN || isAnnounced) return;
    if (counter === ((last + (hasPayload ? 1 : 0)) & 0x0f)) return;
    if (hasPayload && counter === last && (before & REPEATED) === 0) this.#counters[pid] = counter | REPEATED;
    else this.errors++;
  }
}
