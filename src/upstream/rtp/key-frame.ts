/** Takes the first key frame out of a transport stream, for a picture of it (status.md section 8). */
import { isUnitStart, packetId, TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../wire/mpegts/packet.ts";
import { RandomAccessWatch } from "./random-access.ts";

const MAX_FRAME_BYTES = 1024 * 1024;
const USUAL_FRAME_BYTES = 64 * 1024;

export class KeyFrameSearch {
  /** `complete` and `failed` (the frame is too large) are the end. */
  state: "searching" | "collecting" | "complete" | "failed" = "searching";
  readonly #watch = new RandomAccessWatch();
  /** The packet that comes in. When the frame is complete: the first one behind it. */
  readonly #packet = new Uint8Array(TS_PACKET_BYTES);
  #packetBytes = 0;
  #pid = -1;
  #frame = new Uint8Array(USUAL_FRAME_BYTES);
  #frameBytes = 0;

  /** Looks at the next bytes of the stream, which may be cut anywhere; returns how many were of use: all until the end. */
  push(bytes: Uint8Array, offset: number, length: number): number {
    const end = offset + length;
    let at = offset;
    while (at < end && !this.#isOver) {
      const isOutOfStep = this.#packetBytes === 0 && bytes[at] !== TS_SYNC_BYTE;
      if (isOutOfStep) at++;
      else at += this.#fill(bytes.subarray(at, Math.min(end, at + TS_PACKET_BYTES - this.#packetBytes)));
    }
    return at - offset;
  }

  /** There will be no more: what has come of the frame is the frame. */
  finish(): void {
    if (this.state === "collecting") this.state = "complete";
  }

  /** PAT, PMT and all packets of the frame. */
  get frame(): Uint8Array {
    return this.#frame.subarray(0, this.#frameBytes);
  }

  /** What somebody who wants to go on with the stream must get before what was not pushed. */
  get held(): Uint8Array {
    return Buffer.concat([this.frame, this.#packet.subarray(0, this.#packetBytes)]);
  }

  get #isOver(): boolean {
    return this.state === "complete" || this.state === "failed";
  }

  #fill(piece: Uint8Array): number {
    this.#packet.set(piece, this.#packetBytes);
    this.#packetBytes += piece.length;
    if (this.#packetBytes === TS_PACKET_BYTES) this.#packetArrived();
    return piece.length;
  }

  #packetArrived(): void {
    const packet = this.#packet;
    if (this.state === "searching") {
      if (this.#watch.look(packet, 0, TS_PACKET_BYTES) === 0) {
        this.state = "collecting";
        this.#pid = packetId(packet, 0);
        this.#append(this.#watch.preamble());
        this.#append(packet);
      }
    } else if (packetId(packet, 0) === this.#pid) {
      if (isUnitStart(packet, 0)) this.state = "complete";
      else if (this.#frameBytes + TS_PACKET_BYTES > MAX_FRAME_BYTES) this.state = "failed";
      else this.#append(packet);
    }
    if (!this.#isOver) this.#packetBytes = 0;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#frameBytes + bytes.length;
    if (needed > this.#frame.length) {
      const grown = new Uint8Array(2 * this.#frame.length);
      grown.set(this.frame);
      this.#frame = grown;
    }
    this.#frame.set(bytes, this.#frameBytes);
    this.#frameBytes = needed;
  }
}
