/** Joins unicast and group without a gap: holds back what the group brings until unicast has reached it (fcc.md section 9). */
import type { Memory } from "../../system/memory.ts";
import { isTransportStream } from "../../wire/mpegts/packet.ts";
import { emptyRtpPacket, isRtp, parseRtp, sequenceDifference } from "../../wire/rtp/packet.ts";
import type { GroupSink } from "../multicast/session.ts";
import { type Depacketizer, isParity } from "../rtp/depacketizer.ts";
import { PacketWindow } from "../rtp/packet-window.ts";

/** Packets of the group that are held back; the oldest make room. */
const HELD_PACKETS = 4096;
/** Unicast behind the join point is taken this far ahead, where the group has lost something. */
const FILL_PACKETS = 32;
/** Unicast that is further ahead of the group has other sequence numbers. */
const UNRELATED_PACKETS = 1024;
/** A hole at which unicast has passed the join point is not waited for any longer. */
const HOLE_MS = 100;

export interface HandOverParent {
  /** The group has brought a media packet, of this sequence number; undefined for media without one. Before it is used. */
  groupMedia(sequence: number | undefined): void;
}

export class HandOver implements GroupSink {
  /** Of the group: media datagrams. */
  payloads = 0;
  readonly #parent: HandOverParent;
  readonly #input: Depacketizer;
  readonly #packet = emptyRtpPacket();
  #state: "passing" | "holding" = "passing";
  #held: PacketWindow | undefined;
  /** The first, the lowest and the highest sequence number that was held back. */
  #joined: number | undefined;
  #oldest = 0;
  #newest = 0;
  #newestUnicast: number | undefined;
  /** Since when the next packet to deliver is the same. */
  #stuckAt = 0;
  #stuckNext = -1;

  constructor(parent: HandOverParent, input: Depacketizer) {
    this.#parent = parent;
    this.#input = input;
  }

  hold(): void {
    this.#state = "holding";
    this.#held ??= new PacketWindow(HELD_PACKETS);
  }

  /** A datagram of the group. */
  datagram(memory: Memory, offset: number, length: number): void {
    const { bytes } = memory;
    const packet = this.#packet;
    if (!isRtp(bytes, offset, length)) {
      if (isTransportStream(bytes, offset, length)) this.#media(undefined);
    } else if (parseRtp(bytes, offset, length, packet) && !isParity(packet, bytes)) {
      this.#media(packet.sequence);
      if (this.#state === "holding") {
        this.#hold(memory, offset, length);
        return;
      }
    }
    this.#input.datagram(memory, offset, length);
  }

  /** A datagram of the server. */
  unicast(memory: Memory, offset: number, length: number): void {
    if (isRtp(memory.bytes, offset, length)) {
      const sequence = sequenceOf(memory.bytes, offset);
      const newest = this.#newestUnicast;
      if (newest === undefined || sequenceDifference(sequence, newest) > 0) this.#newestUnicast = sequence;
      const next = this.#input.reorder.awaited;
      // The group was quicker.
      if (this.#joined !== undefined && next !== undefined && sequenceDifference(sequence, next) < 0) return;
    }
    this.#input.datagram(memory, offset, length);
  }

  /** A datagram of the server after the hand-over: the group may have lost it. */
  fill(memory: Memory, offset: number, length: number): void {
    const next = this.#input.reorder.awaited;
    if (next === undefined || !isRtp(memory.bytes, offset, length)) return;
    const ahead = sequenceDifference(sequenceOf(memory.bytes, offset), next);
    if (ahead >= 0 && ahead < FILL_PACKETS) this.#input.datagram(memory, offset, length);
  }

  /** Delivers of what is held what comes next. True when all of it is delivered, or the rest is not worth waiting for. */
  drain(now: number): boolean {
    const held = this.#held;
    const { reorder } = this.#input;
    if (!held || this.#joined === undefined || reorder.awaited === undefined) return false;
    for (let next = reorder.awaited; next !== undefined && held.has(next); next = reorder.awaited) {
      const packet = held.get(next)!;
      held.forget(next);
      this.#input.datagram(packet.memory, 0, packet.length);
    }
    const next = reorder.awaited;
    if (next === undefined || sequenceDifference(next, this.#newest) > 0) return next !== undefined;
    if (next !== this.#stuckNext) {
      this.#stuckNext = next;
      this.#stuckAt = now;
    }
    return this.#hasUnicastPassed(this.#joined) && now - this.#stuckAt >= HOLE_MS;
  }

  /**
   * Delivers all that is held, in order, and holds back no more.
   * @returns packets that are missing before the first of them; undefined when unicast has other sequence numbers
   */
  release(): number | undefined {
    this.#state = "passing";
    const held = this.#held;
    this.#held = undefined;
    if (!held || this.#joined === undefined) return 0;
    const { reorder } = this.#input;
    const isOther = reorder.awaited !== undefined && isUnrelated(sequenceDifference(reorder.awaited, this.#joined));
    if (isOther) reorder.reset();
    const next = reorder.awaited;
    let gap = -1;
    const count = Math.min(HELD_PACKETS, sequenceDifference(this.#newest, this.#oldest) + 1);
    for (let back = count - 1; back >= 0; back--) {
      const sequence = (this.#newest - back) & 0xffff;
      const packet = held.get(sequence);
      if (!packet || (next !== undefined && sequenceDifference(sequence, next) < 0)) continue;
      if (gap < 0) gap = next === undefined ? 0 : sequenceDifference(sequence, next);
      this.#input.datagram(packet.memory, 0, packet.length);
    }
    return isOther ? undefined : Math.max(0, gap);
  }

  #media(sequence: number | undefined): void {
    this.payloads++;
    this.#parent.groupMedia(sequence);
  }

  #hold(memory: Memory, offset: number, length: number): void {
    const { sequence } = this.#packet;
    if (this.#joined === undefined) this.#joined = this.#oldest = this.#newest = sequence;
    if (sequenceDifference(sequence, this.#newest) > 0) this.#newest = sequence;
    if (sequenceDifference(sequence, this.#oldest) < 0) this.#oldest = sequence;
    const next = this.#input.reorder.awaited;
    // Unicast was quicker, unless its numbers are others.
    const ahead = next === undefined ? 0 : sequenceDifference(sequence, next);
    if (ahead < 0 && ahead >= -UNRELATED_PACKETS) return;
    this.#held!.put(this.#packet, memory, offset, length);
  }

  #hasUnicastPassed(joined: number): boolean {
    const newest = this.#newestUnicast;
    return newest !== undefined && sequenceDifference(newest, joined) >= -1;
  }
}

/** @param ahead packets that unicast is ahead of the group */
function isUnrelated(ahead: number): boolean {
  return ahead > UNRELATED_PACKETS || ahead < -HELD_PACKETS;
}

function sequenceOf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}
