/** Holds datagrams that do not go on where their stream is, until it is known whether its source has restarted (RFC 3550 appendix A.1). */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { sequenceDifference } from "../../wire/rtp/packet.ts";

/** In a row, each going on where the last one was. One proves nothing: it is somebody else's. */
const ENOUGH = 2;
/** A second source beside one that goes on is not followed, unless so many of its packets come in a row. */
const PLENTY = 64;
/** The stream's own source has not been heard for so long: two ticks of a stream that flows. */
const SILENT_MS = 50;
/** Of the next packet, as far as some are lost. */
const AGREE_PACKETS = 32;
const SLOT_BYTES = 1536;

/** What says whose a datagram is. Bare transport streams have no sequence numbers and one name for all. */
export interface Sender {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly sequence: number | undefined;
}

export const BARE_SENDER: Sender = { ssrc: -1, payloadType: -1, sequence: undefined };

export class Probation {
  /** The newest one held. */
  sender: Sender = BARE_SENDER;
  /** How many are held. */
  count = 0;
  readonly #slots: { memory: Memory; length: number }[] = [];

  /**
   * Holds one more, if it goes on where those are that are held; else it alone is held.
   * @returns how many were given up
   */
  hold(sender: Sender, memory: Memory, offset: number, length: number): number {
    const givenUp = this.count > 0 && !this.#agrees(sender) ? this.giveUp() : 0;
    this.sender = sender;
    const slot = this.#slot(this.count, length);
    copyBytes(slot.memory, 0, memory, offset, length);
    slot.length = length;
    this.count++;
    return givenUp;
  }

  /** @param silentMs how long the stream's own source has not been heard */
  isPassed(silentMs: number): boolean {
    return this.count >= PLENTY || (this.count >= ENOUGH && silentMs >= SILENT_MS);
  }

  /** Lets go of what is held. Answers how many they were. */
  giveUp(): number {
    const { count } = this;
    this.count = 0;
    return count;
  }

  /** Hands over what is held, oldest first, and holds it no more. */
  release(into: DatagramSink): void {
    const count = this.giveUp();
    for (const { memory, length } of this.#slots.slice(0, count)) into.datagram(memory, 0, length);
  }

  #agrees({ ssrc, payloadType, sequence }: Sender): boolean {
    const newest = this.sender;
    if (ssrc !== newest.ssrc || payloadType !== newest.payloadType) return false;
    if (sequence === undefined || newest.sequence === undefined) return sequence === newest.sequence;
    const ahead = sequenceDifference(sequence, newest.sequence);
    return ahead > 0 && ahead <= AGREE_PACKETS;
  }

  #slot(index: number, length: number): { memory: Memory; length: number } {
    const slot = this.#slots[index];
    if (slot && slot.memory.bytes.length >= length) return slot;
    const made = { memory: allocate(Math.max(SLOT_BYTES, length)), length: 0 };
    this.#slots[index] = made;
    return made;
  }
}
