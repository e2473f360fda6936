/** Stores RTP packets by sequence number, header and all, in slots that are used again and again. */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { emptyRtpPacket, type RtpPacket } from "../../wire/rtp/packet.ts";

const MAX_SIZE = 4096;
/** A slot's first size; larger packets make it grow. */
const SLOT_BYTES = 1536;
const EMPTY = -1;

/** A packet in its slot, where it begins at 0. Another may take the slot, so it is to be used before the next `put`. */
export interface StoredPacket extends Readonly<RtpPacket> {
  readonly memory: Memory;
  readonly length: number;
}

interface Slot extends RtpPacket {
  memory: Memory;
  length: number;
}

export class PacketWindow {
  readonly size: number;
  readonly #mask: number;
  readonly #sequences: Int32Array;
  /** Made when first used. */
  readonly #slots: (Slot | undefined)[];

  /** @param size sequence numbers that fit, a power of two up to 4096 */
  constructor(size: number) {
    if (size < 1 || size > MAX_SIZE || (size & (size - 1)) !== 0) throw new RangeError(`a window of ${size} packets`);
    this.size = size;
    this.#mask = size - 1;
    this.#sequences = new Int32Array(size).fill(EMPTY);
    this.#slots = new Array(size).fill(undefined);
  }

  /**
   * Copies `length` bytes at `offset`, in which `parseRtp` found `packet`, to the packet's slot. A packet that is there
   * already, `size` numbers away or a multiple of it, is forgotten.
   */
  put(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    const { sequence } = packet;
    const slot = this.#slotFor(sequence & this.#mask, length);
    copyBytes(slot.memory, 0, memory, offset, length);
    slot.length = length;
    slot.payloadType = packet.payloadType;
    slot.sequence = sequence;
    slot.payloadStart = packet.payloadStart - offset;
    slot.payloadEnd = packet.payloadEnd - offset;
    this.#sequences[sequence & this.#mask] = sequence;
  }

  has(sequence: number): boolean {
    return this.#sequences[sequence & this.#mask] === sequence;
  }

  get(sequence: number): StoredPacket | undefined {
    return this.has(sequence) ? this.#slots[sequence & this.#mask] : undefined;
  }

  /** Forgets this packet, and no other that is in its slot. What `get` has answered stays readable until the next `put`. */
  forget(sequence: number): void {
    if (this.has(sequence)) this.#sequences[sequence & this.#mask] = EMPTY;
  }

  clear(): void {
    this.#sequences.fill(EMPTY);
  }

  #slotFor(index: number, length: number): Slot {
    const slot = this.#slots[index];
    if (slot && slot.memory.bytes.length >= length) return slot;
    const memory = allocate(Math.max(SLOT_BYTES, length));
    if (slot) {
      slot.memory = memory;
      return slot;
    }
    const made: Slot = { ...emptyRtpPacket(), memory, length: 0 };
    this.#slots[index] = made;
    return made;
  }
}
