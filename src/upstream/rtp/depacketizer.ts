/** Tells whose datagrams are the stream's: RTP, bare MPEG-TS or neither, and of one source (multicast.md section 6). */
import type { Memory } from "../../system/memory.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { isParityType } from "../../wire/fec/parity-packet.ts";
import { isTransportStream, TS_PACKET_BYTES } from "../../wire/mpegts/packet.ts";
import { emptyRtpPacket, isRtp, parseRtp, type RtpPacket, sequenceDifference, ssrcOf } from "../../wire/rtp/packet.ts";
import { isRtcp } from "../../wire/rtp/rtcp.ts";
import { Delivery, type MediaSink } from "./delivery.ts";
import { BARE_SENDER, Probation, type Sender } from "./probation.ts";
import { ReorderBuffer } from "./reorder.ts";
import { Repair } from "./repair.ts";

/** Value of the `R2H-Upstream-Payload` header. */
export type PayloadKind = "mp2t-rtp" | "mp2t-direct";

/** A packet that is further ahead is not believed alone (MAX_DROPOUT of RFC 3550 appendix A.1). */
const JUMP_PACKETS = 3000;
/** A packet of another sender that is so near to what is awaited goes on with the stream. */
const NEAR_PACKETS = 32;
/** A stream that is neither RTP nor MPEG-TS is passed on when so much of it has come, and nothing else. */
const UNKNOWN_DATAGRAMS = 24;
const UNKNOWN_BYTES = 4096;

export class Depacketizer implements DatagramSink {
  /** Of the latest media datagram that was MPEG-TS. */
  payloadKind: PayloadKind | undefined;
  /** RTP datagrams whose header does not fit them. */
  malformed = 0;
  /** Parity packets (FEC), which are never media. */
  parity = 0;
  /** Nor is RTCP. */
  control = 0;
  /** Times that another sender's RTP went on with the stream (SSRC). */
  senderChanges = 0;
  /** Several sources bring the same stream, each under a name of its own (FCC). */
  hasManySources = false;
  readonly reorder: ReorderBuffer;
  /** Undefined while no parity (FEC) has come and none is expected. */
  repair: Repair | undefined;
  readonly #delivery: Delivery;
  readonly #packet = emptyRtpPacket();
  readonly #probation = new Probation();
  #strays = 0;
  /** What the stream is; `bytes` is whatever is neither RTP nor MPEG-TS. */
  #kind: "unknown" | "rtp" | "bare" | "bytes" = "unknown";
  /** The sender of an RTP stream. */
  #ssrc = 0;
  #hasSender = false;
  #payloadType = 0;
  #now = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  #unknownDatagrams = 0;
  #unknownBytes = 0;

  constructor(parent: MediaSink) {
    this.#delivery = new Delivery(parent);
    this.reorder = new ReorderBuffer(this.#delivery);
  }

  /** Payloads handed on. */
  get payloads(): number {
    return this.#delivery.payloads;
  }

  /** Datagrams that were not the stream's: neither RTP nor MPEG-TS, or of another source. */
  get strays(): number {
    return this.#strays + this.#delivery.strays;
  }

  /** Parity will come from a port of its own: what comes there is for the `Repair` that this answers. */
  expectParity(): Repair {
    const repair = this.#repairing();
    repair.expect();
    return repair;
  }

  /** Whether the stream is neither RTP nor MPEG-TS, and is passed on as it comes. */
  get passesBytes(): boolean {
    return this.#kind === "bytes";
  }

  /** Called before the datagrams of each tick; `now` in ms. */
  tick(now: number): void {
    this.#now = now;
    this.reorder.tick(now);
    if (this.#probation.count > 0) this.#followWhoPassed();
  }

  /** Delivers what is held back and starts anew: the source is gone or will be another. */
  reset(): void {
    this.reorder.reset();
    this.#delivery.alignment.reset();
    this.#strays += this.#probation.giveUp();
    this.#kind = "unknown";
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#unknownDatagrams = this.#unknownBytes = 0;
  }

  datagram(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    // A piece of a bare stream may begin with any byte.
    if (this.#kind === "bare" && this.#delivery.alignment.fits(bytes, offset, length))
      this.#takeBare(memory, offset, length);
    else if (isRtp(bytes, offset, length)) this.#takeRtp(memory, offset, length);
    else this.#takeOther(memory, offset, length);
  }

  #takeRtp(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    const packet = this.#packet;
    if (!parseRtp(bytes, offset, length, packet)) {
      if (this.#kind === "bytes") this.#takeUnknown(memory, offset, length);
      else if (this.#kind !== "unknown" || !this.#takeBare(memory, offset, length)) {
        // A short report has the beginning of an RTP header, and no payload behind it.
        if (isRtcp(bytes, offset, length)) this.control++;
        else this.malformed++;
      }
    } else if (this.#kind !== "bytes" && isParity(packet, bytes)) {
      this.parity++;
      this.#repairing().datagram(memory, offset, length);
    } else if (this.#isOwn(ssrcOf(bytes, offset), packet)) {
      this.#pushOwn(memory, offset, length);
    } else this.#takeStranger(memory, offset, length);
  }

  #isOwn(ssrc: number, { payloadType, sequence }: RtpPacket): boolean {
    if (ssrc !== this.#ssrc || payloadType !== this.#payloadType || this.#kind !== "rtp") return false;
    const { awaited } = this.reorder;
    return awaited === undefined || sequenceDifference(sequence, awaited) < JUMP_PACKETS;
  }

  #pushOwn(memory: Memory, offset: number, length: number): void {
    const packet = this.#packet;
    if (this.#probation.count > 0) this.#strays += this.#probation.giveUp();
    this.#heardAt = this.#now;
    if (
      this.payloadKind !== "mp2t-rtp" &&
      isTransportStream(memory.bytes, packet.payloadStart, packet.payloadEnd - packet.payloadStart)
    ) {
      this.payloadKind = "mp2t-rtp";
    }
    this.reorder.push(packet, memory, offset, length);
  }

  /** An RTP packet that is not, or not yet, of the stream's source. */
  #takeStranger(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    const { payloadStart, payloadEnd, payloadType, sequence } = this.#packet;
    if (isRtcp(bytes, offset, length) && this.#kind !== "bytes") {
      this.control++;
      return;
    }
    const sender: Sender = { ssrc: ssrcOf(bytes, offset), payloadType, sequence };
    const isTs = isTransportStream(bytes, payloadStart, payloadEnd - payloadStart);
    // A piece of a bare stream may look like RTP, too.
    const isWhole = (payloadEnd - payloadStart) % TS_PACKET_BYTES === 0;
    if (this.#goesOn(sender, isTs, isWhole)) {
      this.#adopt(sender);
      this.#pushOwn(memory, offset, length);
    } else if (this.#delivery.alignment.isFound && this.#kind === "rtp" && !isTs) {
      this.#strays++;
    } else if (this.#kind === "bytes") {
      this.#takeUnknown(memory, offset, length);
    } else if (this.#kind !== "unknown" || !this.#takeBare(memory, offset, length)) {
      this.#suspect(sender, memory, offset, length);
    }
  }

  /** Whether a packet may be believed at once. */
  #goesOn({ ssrc, sequence }: Sender, isTs: boolean, isWhole: boolean): boolean {
    if (!isTs) return false;
    if (this.#kind === "unknown" || this.#kind === "bytes" || this.hasManySources) return isWhole;
    const { awaited } = this.reorder;
    if (this.#kind !== "rtp" || awaited === undefined || sequence === undefined) return false;
    const ahead = sequenceDifference(sequence, awaited);
    return ssrc === this.#ssrc ? ahead < JUMP_PACKETS : Math.abs(ahead) < NEAR_PACKETS;
  }

  #adopt({ ssrc, payloadType }: Sender): void {
    if (this.#hasSender && ssrc !== this.#ssrc) this.senderChanges++;
    this.#hasSender = true;
    this.#kind = "rtp";
    this.#ssrc = ssrc;
    this.#payloadType = payloadType;
  }

  /** What is no RTP. */
  #takeOther(memory: Memory, offset: number, length: number): void {
    const isTs = isTransportStream(memory.bytes, offset, length);
    // A report without blocks is shorter than an RTP header.
    if (this.#kind !== "bytes" && isRtcp(memory.bytes, offset, length)) {
      this.control++;
    } else if (this.#kind === "rtp") {
      if (isTs) this.#suspect(BARE_SENDER, memory, offset, length);
      else this.#strays++;
    } else if (length === 0 || !this.#takeBare(memory, offset, length)) this.#takeUnknown(memory, offset, length);
  }

  /** Pieces that say nothing alone may be a transport stream together. False when they are none, as far as can be told. */
  #takeBare(memory: Memory, offset: number, length: number): boolean {
    const alignment = this.#delivery.alignment;
    if (alignment.isSearching && !alignment.fits(memory.bytes, offset, length)) {
      const pieces = alignment.search(memory, offset, length);
      if (pieces === 0 && !alignment.take(memory, offset, length)) return false;
      if (pieces > 0) this.#uncount(pieces - 1);
    } else if (!alignment.take(memory, offset, length)) {
      alignment.search(memory, offset, length);
      return false;
    }
    this.#heardBare();
    return true;
  }

  /** So many pieces that were not the stream's, as far as could be told then, have proved to be. */
  #uncount(pieces: number): void {
    this.#strays += this.#probation.giveUp();
    const strays = Math.min(this.#strays, pieces);
    this.#strays -= strays;
    this.malformed -= Math.min(this.malformed, pieces - strays);
  }

  #heardBare(): void {
    if (this.#probation.count > 0) this.#strays += this.#probation.giveUp();
    this.#kind = "bare";
    this.payloadKind = "mp2t-direct";
    this.#heardAt = this.#now;
  }

  /** What is never a transport stream may be wanted all the same. */
  #takeUnknown(memory: Memory, offset: number, length: number): void {
    if (this.#kind === "bytes") {
      if (length > 0) this.#delivery.deliver(memory, offset, length);
    } else {
      this.#strays++;
      this.#unknownDatagrams++;
      this.#unknownBytes += length;
      const isMuch = this.#unknownDatagrams >= UNKNOWN_DATAGRAMS && this.#unknownBytes >= UNKNOWN_BYTES;
      if (isMuch && this.payloads === 0) this.#kind = "bytes";
    }
  }

  #suspect(sender: Sender, memory: Memory, offset: number, length: number): void {
    this.#strays += this.#probation.hold(sender, memory, offset, length);
    this.#followWhoPassed();
  }

  /** The stream's source has restarted, or another has taken its place: what was held of it is the beginning. */
  #followWhoPassed(): void {
    const probation = this.#probation;
    if (!probation.isPassed(this.#now - this.#heardAt)) return;
    if (this.#kind === "rtp") this.reorder.counts.resyncs++;
    this.reorder.reset();
    this.#delivery.alignment.reset();
    if (probation.sender === BARE_SENDER) this.#kind = "bare";
    else this.#adopt(probation.sender);
    probation.release(this);
  }

  #repairing(): Repair {
    this.repair ??= new Repair(this.reorder, this.#delivery.history);
    return this.repair;
  }
}

/** Whether a packet carries parity (FEC), which is never media. */
export function isParity({ payloadType, payloadStart, payloadEnd }: RtpPacket, bytes: Uint8Array): boolean {
  return isParityType(payloadType) && !isTransportStream(bytes, payloadStart, payloadEnd - payloadStart, 2);
}
