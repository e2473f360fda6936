/** Measures how evenly RTP arrives, while somebody wants to know: stands before whatever takes the datagrams (health.md section 5). */
import type { Memory } from "../../system/memory.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { isParityType } from "../../wire/fec/parity-packet.ts";
import { isRtp, ssrcOf, timestampOf } from "../../wire/rtp/packet.ts";

/** Of MPEG-TS in RTP (RFC 2250 section 2). */
const TICKS_PER_MS = 90;
const JITTER_WEIGHT = 1 / 16;
/** Who is so far off has another clock. */
const MAX_DEVIATION_MS = 10_000;

const NOWHERE: DatagramSink = { datagram() {} };

export class ArrivalMeter implements DatagramSink {
  /** RFC 3550 section 6.4.1. */
  jitterMs = 0;
  #into = NOWHERE;
  #now = 0;
  #ssrc: number | undefined;
  #timestamp = 0;
  #arrivedAt = 0;

  /** What is to take the datagrams that are read at `now`, in ms, on their way to `into`. */
  before(into: DatagramSink, now: number): DatagramSink {
    this.#into = into;
    this.#now = now;
    return this;
  }

  datagram(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    if (isRtp(bytes, offset, length) && !isParityType(bytes[offset + 1]! & 0x7f)) {
      this.#measure(ssrcOf(bytes, offset), timestampOf(bytes, offset));
    }
    this.#into.datagram(memory, offset, length);
  }

  #measure(ssrc: number, timestamp: number): void {
    const deviation = Math.abs(this.#now - this.#arrivedAt - ((timestamp - this.#timestamp) | 0) / TICKS_PER_MS);
    if (ssrc === this.#ssrc && deviation < MAX_DEVIATION_MS) {
      this.jitterMs += (deviation - this.jitterMs) * JITTER_WEIGHT;
    }
    this.#ssrc = ssrc;
    this.#timestamp = timestamp;
    this.#arrivedAt = this.#now;
  }
}
