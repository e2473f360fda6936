/** Cuts a transport stream into its packets, however it comes in pieces: the same packets for the same bytes (ISO/IEC 13818-1 section 2.4.3.2). */
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "./packet.ts";

/** Takes whole packets that begin with their sync byte. The bytes are valid only during the call. */
export interface PacketSink {
  packet(bytes: Uint8Array, at: number): void;
  /** The next packet does not follow the last one. */
  syncLost(): void;
}

/** So many sync bytes at their distance prove where packets begin. */
const PROOF_PACKETS = 3;
const PROOF_BYTES = (PROOF_PACKETS - 1) * TS_PACKET_BYTES;
const HOLD_BYTES = 8 * TS_PACKET_BYTES;

export class PacketSplitter {
  readonly #sink: PacketSink;
  #isInSync = false;
  /** The beginning of a packet whose end has not come, or all that packets are looked for in. */
  readonly #hold = new Uint8Array(HOLD_BYTES);
  #held = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  /** Bytes are missing before the next ones, through no fault of the stream. */
  reset(): void {
    this.#isInSync = false;
    this.#held = 0;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    const end = offset + length;
    let at = offset;
    while (at < end) {
      if (this.#held > 0 || !this.#isInSync) at = this.#fill(bytes, at, end);
      else {
        for (; at + TS_PACKET_BYTES <= end && bytes[at] === TS_SYNC_BYTE; at += TS_PACKET_BYTES) {
          this.#sink.packet(bytes, at);
        }
        if (at === end) return;
        if (bytes[at] === TS_SYNC_BYTE) at = this.#fill(bytes, at, end);
        else this.#lose();
      }
    }
  }

  #lose(): void {
    this.#isInSync = false;
    this.#sink.syncLost();
  }

  /** Takes bytes to those that are held; returns where the others begin. */
  #fill(bytes: Uint8Array, at: number, end: number): number {
    const wanted = (this.#isInSync ? TS_PACKET_BYTES : HOLD_BYTES) - this.#held;
    const taken = Math.min(wanted, end - at);
    this.#hold.set(bytes.subarray(at, at + taken), this.#held);
    this.#held += taken;
    if (!this.#isInSync) this.#search();
    else if (this.#held === TS_PACKET_BYTES) {
      this.#held = 0;
      this.#sink.packet(this.#hold, 0);
    }
    return at + taken;
  }

  /** Hands over the packets among what is held, and keeps what may become one. */
  #search(): void {
    const hold = this.#hold;
    let at = 0;
    while (at < this.#held) {
      if (!this.#isInSync) {
        if (at + PROOF_BYTES >= this.#held) break;
        if (!isProven(hold, at)) {
          at++;
          continue;
        }
        this.#isInSync = true;
      } else if (hold[at] !== TS_SYNC_BYTE) {
        this.#lose();
        continue;
      }
      if (at + TS_PACKET_BYTES > this.#held) break;
      this.#sink.packet(hold, at);
      at += TS_PACKET_BYTES;
    }
    hold.copyWithin(0, at, this.#held);
    this.#held -= at;
  }
}

function isProven(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < PROOF_PACKETS; i++) if (bytes[at + i * TS_PACKET_BYTES] !== TS_SYNC_BYTE) return false;
  return true;
}
