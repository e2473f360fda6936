/** Turns an endless clip into RTP datagrams of seven TS packets (RFC 2250 section 2). */

import { ClipLoop, type LoopClip } from "../wire/mpegts/loop.ts";
import { TS_PACKET_BYTES } from "../wire/mpegts/packet.ts";
import { emitRtpHeader, RTP_HEADER_BYTES, type RtpHeader } from "../wire/rtp/packet.ts";

/** MP2T (RFC 3551 section 6) */
const PAYLOAD_TYPE = 33;
const PACKETS_PER_DATAGRAM = 7;
export const DATAGRAM_BYTES = RTP_HEADER_BYTES + PACKETS_PER_DATAGRAM * TS_PACKET_BYTES;

export class RtpFeed {
  private readonly loop: ClipLoop;
  private readonly send: (datagram: Uint8Array) => void;
  private readonly datagram = new Uint8Array(DATAGRAM_BYTES);
  private filled = RTP_HEADER_BYTES;
  private readonly header: RtpHeader;
  private readonly firstTimestamp = randomUint32();
  /** When the first packet is due, by the clock of the loop. */
  private readonly originTicks: number;

  /**
   * `send` must be done with the datagram when it returns: its memory is used again.
   * @param startTicks where in the endless stream to begin, 90 kHz
   */
  constructor(clip: LoopClip, send: (datagram: Uint8Array) => void, startTicks = 0) {
    this.loop = new ClipLoop(clip, startTicks);
    this.originTicks = this.loop.nextDueTicks();
    this.send = send;
    // RFC 3550 section 5.1: all three start at random.
    this.header = { payloadType: PAYLOAD_TYPE, sequence: randomUint32() & 0xffff, timestamp: 0, ssrc: randomUint32() };
  }

  /** Sends what is due at `nowTicks` (90 kHz, since the start). A datagram leaves when the last of its packets is due. */
  advance(nowTicks: number): void {
    let dueTicks = this.loop.nextDueTicks() - this.originTicks;
    while (dueTicks <= nowTicks) {
      // RFC 2250 section 2: the time at which the first byte of the payload is due.
      if (this.filled === RTP_HEADER_BYTES) this.header.timestamp = (this.firstTimestamp + dueTicks) % 2 ** 32;
      this.loop.emitNext(this.datagram, this.filled);
      this.filled += TS_PACKET_BYTES;
      if (this.filled === DATAGRAM_BYTES) this.flush();
      dueTicks = this.loop.nextDueTicks() - this.originTicks;
    }
  }

  private flush(): void {
    emitRtpHeader(this.datagram, 0, this.header);
    this.header.sequence = (this.header.sequence + 1) & 0xffff;
    this.filled = RTP_HEADER_BYTES;
    this.send(this.datagram);
  }
}

function randomUint32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
