/** Turns datagrams into media: tells RTP, bare MPEG-TS and strays apart, puts RTP in order, finds random access points. */
import type { UpstreamParent } from "../../relay/upstream.ts";
import type { Memory } from "../../system/memory.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { isParityType } from "../../wire/fec/parity-packet.ts";
import { isTransportStream } from "../../wire/mpegts/packet.ts";
import { emptyRtpPacket, isRtp, parseRtp, type RtpPacket } from "../../wire/rtp/packet.ts";
import { RandomAccessWatch } from "./random-access.ts";
import { type PayloadSink, ReorderBuffer } from "./reorder.ts";
import { Repair } from "./repair.ts";

/** Value of the `R2H-Upstream-Payload` header. */
export type PayloadKind = "mp2t-rtp" | "mp2t-direct";

/** What takes the media. */
export type MediaSink = Pick<UpstreamParent, "append" | "markRandomAccess" | "history">;

export class Depacketizer implements DatagramSink, PayloadSink {
  /** Of the latest media datagram that was MPEG-TS. */
  payloadKind: PayloadKind | undefined;
  /** Payloads handed on. */
  payloads = 0;
  /** Datagrams that were neither RTP nor MPEG-TS. */
  strays = 0;
  /** RTP datagrams whose header does not fit them. */
  malformed = 0;
  /** Parity packets (FEC), which are never media. */
  parity = 0;
  readonly reorder: ReorderBuffer;
  /** Undefined while no parity (FEC) has come and none is expected. */
  repair: Repair | undefined;
  readonly #parent: MediaSink;
  readonly #watch = new RandomAccessWatch();
  readonly #packet = emptyRtpPacket();

  constructor(parent: MediaSink) {
    this.#parent = parent;
    this.reorder = new ReorderBuffer(this);
  }

  /** Parity will come from a port of its own: what comes there is for the `Repair` that this answers. */
  expectParity(): Repair {
    this.repair ??= new Repair(this.reorder, this.#parent.history);
    this.repair.expect();
    return this.repair;
  }

  datagram(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    if (isRtp(bytes, offset, length)) {
      const packet = this.#packet;
      if (!parseRtp(bytes, offset, length, packet)) {
        this.malformed++;
        return;
      }
      if (isParity(packet, bytes)) {
        this.parity++;
        this.repair ??= new Repair(this.reorder, this.#parent.history);
        this.repair.datagram(memory, offset, length);
        return;
      }
      const payloadLength = packet.payloadEnd - packet.payloadStart;
      if (this.payloadKind !== "mp2t-rtp" && isTransportStream(bytes, packet.payloadStart, payloadLength)) {
        this.payloadKind = "mp2t-rtp";
      }
      this.reorder.push(packet, memory, offset, length);
    } else if (isTransportStream(bytes, offset, length)) {
      this.payloadKind = "mp2t-direct";
      this.payload(memory, offset, length);
    } else {
      this.strays++;
    }
  }

  /** One payload in its right order. */
  payload(memory: Memory, offset: number, length: number): void {
    this.payloads++;
    const within = this.#watch.look(memory.bytes, offset, length);
    if (within >= 0) this.#parent.markRandomAccess(within, this.#watch.preamble(), this.#watch.pts);
    this.#parent.append(memory, offset, length);
  }
}

/** Whether a packet carries parity (FEC), which is never media. */
export function isParity({ payloadType, payloadStart, payloadEnd }: RtpPacket, bytes: Uint8Array): boolean {
  return isParityType(payloadType) && !isTransportStream(bytes, payloadStart, payloadEnd - payloadStart, 2);
}
