/** Cuts verifiable MPEG-TS into RTP (RFC 3550, RFC 2250) or bare UDP datagrams, with faults on demand. */

import { TS_PACKET_BYTES, type TsStream, tsPackets } from "./ts-packets.ts";

const RTP_VERSION = 2;
const RTP_PAYLOAD_TYPE_MP2T = 33;
const RTP_HEADER_BYTES = 12;
const DEFAULT_SSRC = 0x534c4345;
const TS_PACKETS_PER_DATAGRAM = 7;
/** 90 kHz ticks for each TS packet: the nominal 1000 packets a second of `ts-packets.ts`. */
const TICKS_PER_TS_PACKET = 90;

/** What the network does to one datagram. `delayBy: 1` swaps it with the next one. */
export type Fault = "drop" | "duplicate" | { readonly delayBy: number };

/** Optional parts of one RTP packet. */
export interface RtpShape {
  /** Bytes of padding, 1 to 255, the count byte included. */
  readonly padding?: number;
  /** Number of contributing sources, 0 to 15. */
  readonly csrcs?: number;
  /** Length of a header extension in 32-bit words, its own header word not counted; 0 is a valid length. */
  readonly extensionWords?: number;
  readonly marker?: boolean;
  readonly payloadType?: number;
  readonly ssrc?: number;
}

export interface DatagramOptions extends TsStream {
  readonly carrier: "rtp" | "udp";
  /** Default 7. */
  readonly tsPacketsPerDatagram?: number;
  /** Counter of the first TS packet. Default 0. */
  readonly firstCounter?: number;
  /** Sequence number of the first RTP packet. Default 0. */
  readonly firstSequence?: number;
  /** Asked for each datagram, counted from 0. */
  readonly fault?: (index: number) => Fault | undefined;
  /** Asked for each RTP packet, counted from 0. */
  readonly shape?: (index: number) => RtpShape | undefined;
}

/** An endless source of datagrams. */
export class DatagramSource {
  /** Datagrams made so far, dropped ones included. */
  index = 0;
  /** Counter of the next TS packet. */
  counter: number;

  readonly #options: DatagramOptions;
  readonly #perDatagram: number;
  readonly #delayed: { readonly datagram: Uint8Array; readonly dueIndex: number }[] = [];

  constructor(options: DatagramOptions) {
    this.#options = options;
    this.#perDatagram = options.tsPacketsPerDatagram ?? TS_PACKETS_PER_DATAGRAM;
    this.counter = options.firstCounter ?? 0;
  }

  /** Makes one datagram. Returns what reaches the network for it: none, itself, two of it, earlier ones behind it. */
  next(): Uint8Array[] {
    const index = this.index++;
    const datagram = this.#make(index);
    const fault = this.#options.fault?.(index);
    const out: Uint8Array[] = [];
    if (fault === undefined) out.push(datagram);
    else if (fault === "duplicate") out.push(datagram, datagram);
    else if (fault !== "drop") this.#delayed.push({ datagram, dueIndex: index + fault.delayBy });
    for (let i = 0; i < this.#delayed.length; ) {
      const delayed = this.#delayed[i]!;
      if (delayed.dueIndex > index) i++;
      else out.push(...this.#delayed.splice(i, 1).map((late) => late.datagram));
    }
    return out;
  }

  #make(index: number): Uint8Array {
    const { carrier, firstSequence = 0, shape } = this.#options;
    const first = this.counter;
    const payload = tsPackets(this.#options, first, this.#perDatagram);
    this.counter += this.#perDatagram;
    if (carrier === "udp") return payload;
    return rtpPacket(payload, firstSequence + index, first * TICKS_PER_TS_PACKET, shape?.(index));
  }
}

/** Bytes of one datagram without optional parts. */
export function datagramBytes(options: DatagramOptions): number {
  const payload = (options.tsPacketsPerDatagram ?? TS_PACKETS_PER_DATAGRAM) * TS_PACKET_BYTES;
  return options.carrier === "rtp" ? RTP_HEADER_BYTES + payload : payload;
}

/** An RTP packet (RFC 3550, section 5.1). Sequence number and timestamp are taken modulo 2^16 and 2^32. */
export function rtpPacket(payload: Uint8Array, sequence: number, timestamp: number, shape: RtpShape = {}): Uint8Array {
  const { padding = 0, csrcs = 0, extensionWords, marker = false } = shape;
  const extensionBytes = extensionWords === undefined ? 0 : 4 + 4 * extensionWords;
  const payloadOffset = RTP_HEADER_BYTES + 4 * csrcs + extensionBytes;
  const packet = new Uint8Array(payloadOffset + payload.length + padding);
  const view = new DataView(packet.buffer);
  const hasExtension = extensionWords !== undefined;
  packet[0] = (RTP_VERSION << 6) | (padding > 0 ? 0x20 : 0) | (hasExtension ? 0x10 : 0) | csrcs;
  packet[1] = (marker ? 0x80 : 0) | (shape.payloadType ?? RTP_PAYLOAD_TYPE_MP2T);
  view.setUint16(2, sequence);
  view.setUint32(4, timestamp % 2 ** 32);
  view.setUint32(8, shape.ssrc ?? DEFAULT_SSRC);
  for (let i = 0; i < csrcs; i++) view.setUint32(RTP_HEADER_BYTES + 4 * i, i + 1);
  if (hasExtension) {
    // The content looks like TS packets, so that a reader who ignores the length is found out.
    packet.fill(0x47, RTP_HEADER_BYTES + 4 * csrcs, payloadOffset);
    view.setUint16(RTP_HEADER_BYTES + 4 * csrcs + 2, extensionWords);
  }
  packet.set(payload, payloadOffset);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}
