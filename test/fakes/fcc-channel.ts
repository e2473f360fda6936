/** A television channel as an operator has it: any packet of it at any time, and the line that a group of it comes over. */
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { MulticastSender } from "./multicast-sender.ts";
import { memberCount } from "./namespace.ts";
import { seededRandom } from "./random.ts";
import { rtpPacket } from "./ts-datagrams.ts";
import { TS_PACKET_BYTES, tsPackets } from "./ts-packets.ts";

const PER_DATAGRAM = 7;
const PAYLOAD_BITS = PER_DATAGRAM * TS_PACKET_BYTES * 8;
const TICKS_PER_DATAGRAM = 630;

export interface FccChannelOptions {
  readonly streamId: number;
  readonly bitsPerSecond: number;
  /** Datagrams from one key frame to the next. */
  readonly keyFrameEvery: number;
  readonly firstSequence?: number;
  /** When the first datagram was sent, ms of whatever clock. */
  readonly startedAt: number;
}

/** A pure function of its options: datagram number `index` is the same whenever it is asked for. */
export class FccChannel {
  readonly options: FccChannelOptions;

  constructor(options: FccChannelOptions) {
    this.options = options;
  }

  get perMs(): number {
    return this.options.bitsPerSecond / PAYLOAD_BITS / 1000;
  }

  /** The newest datagram at a time. */
  indexAt(now: number): number {
    return Math.floor((now - this.options.startedAt) * this.perMs);
  }

  keyFrameBefore(index: number): number {
    return index - (index % this.options.keyFrameEvery);
  }

  sequenceOf(index: number): number {
    return ((this.options.firstSequence ?? 0) + index) & 0xffff;
  }

  payload(index: number): Uint8Array {
    const { streamId, keyFrameEvery } = this.options;
    return tsPackets({ streamId, interval: keyFrameEvery * PER_DATAGRAM }, index * PER_DATAGRAM, PER_DATAGRAM);
  }

  /** @param sequenceOffset a server that numbers its packets in its own way */
  datagram(index: number, sequenceOffset = 0): Uint8Array {
    return rtpPacket(
      this.payload(index),
      (this.sequenceOf(index) + sequenceOffset) & 0xffff,
      index * TICKS_PER_DATAGRAM,
    );
  }
}

/** What a line does to the datagrams that are sent over it: loses some and lets some come later. Seeded. */
export class FaultyLine {
  readonly #loss: number;
  readonly #reordering: number;
  readonly #random: () => number;
  readonly #late: { index: number; due: number }[] = [];
  #sent = 0;

  /** @param loss, reordering parts of 1 */
  constructor(seed: number, loss = 0, reordering = 0) {
    this.#loss = loss;
    this.#reordering = reordering;
    this.#random = seededRandom(seed);
  }

  /** What arrives when this one is sent. */
  send(index: number): number[] {
    const arrived: number[] = [];
    this.#sent++;
    const chance = this.#random();
    if (chance >= this.#loss) {
      const isLate = chance < this.#loss + this.#reordering;
      if (isLate) this.#late.push({ index, due: this.#sent + 1 + Math.floor(this.#random() * 5) });
      else arrived.push(index);
    }
    while (this.#late.length > 0 && this.#late[0]!.due <= this.#sent) arrived.push(this.#late.shift()!.index);
    return arrived;
  }
}

export interface FccGroupOptions {
  readonly group: string;
  readonly port: number;
  /** From the membership to the first datagram. */
  readonly joinDelayMs?: number;
  readonly line?: FaultyLine;
}

/** Sends the channel to its group, while somebody is a member. */
export class FccGroup {
  /** Datagrams that have reached the network. */
  readonly arrived = new Set<number>();
  /** Nothing is sent, whoever is a member. */
  isDead = false;
  readonly #channel: FccChannel;
  readonly #options: FccGroupOptions;
  readonly #sender: MulticastSender;
  #joinedAt: number | undefined;
  #next: number | undefined;

  private constructor(channel: FccChannel, options: FccGroupOptions, sender: MulticastSender) {
    this.#channel = channel;
    this.#options = options;
    this.#sender = sender;
  }

  static async open(channel: FccChannel, options: FccGroupOptions): Promise<FccGroup> {
    const { group, port } = options;
    const { streamId } = channel.options;
    return new FccGroup(channel, options, await MulticastSender.open({ carrier: "rtp", streamId, group, port }));
  }

  get isJoined(): boolean {
    return memberCount(parseIpAddress(this.#options.group)!) > 0;
  }

  /** Sends what is due. */
  step(now: number): void {
    if (this.#joinedAt === undefined) {
      if (!this.isJoined) return;
      this.#joinedAt = now;
    }
    if (this.isDead || now - this.#joinedAt < (this.#options.joinDelayMs ?? 0)) return;
    const live = this.#channel.indexAt(now);
    this.#next ??= live;
    for (; this.#next <= live; this.#next++) {
      for (const index of this.#options.line?.send(this.#next) ?? [this.#next]) {
        this.#sender.sendRaw(this.#channel.datagram(index));
        this.arrived.add(index);
      }
    }
  }

  close(): void {
    this.#sender.close();
  }
}
