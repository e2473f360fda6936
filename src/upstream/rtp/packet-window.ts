/** Stores RTP packets by sequence number, header and all, in slots that are used again and again. */
import type { MediaHistory } from "../../relay/upstream.ts";
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { emptyRtpPacket, RTP_HEADER_BYTES, type RtpPacket } from "../../wire/rtp/packet.ts";

const MAX_SIZE = 4096;
/** A slot's first size; larger packets make it grow. */
const SLOT_BYTES = 1536;
const EMPTY = -1;
const WORD_BYTES = 4;
const HEADER_WORDS = RTP_HEADER_BYTES / WORD_BYTES;

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
  /** Packets whose payload is in the history: where, how long it is (0: it is in the slot), and the header. */
  readonly #history: MediaHistory | undefined;
  readonly #positions: Float64Array;
  readonly #lengths: Uint16Array;
  readonly #headers: Int32Array;
  readonly #headerBytes: Uint8Array;
  /** The memory that nearly all packets come from, and the same as words. */
  #source: Memory | undefined;
  #sourceWords: Int32Array = new Int32Array(0);

  /**
   * @param size sequence numbers that fit, a power of two up to 4096
   * @param history has the payloads of packets that are noted
   */
  constructor(size: number, history?: MediaHistory) {
    if (size < 1 || size > MAX_SIZE || (size & (size - 1)) !== 0) throw new RangeError(`a window of ${size} packets`);
    this.size = size;
    this.#mask = size - 1;
    this.#sequences = new Int32Array(size).fill(EMPTY);
    this.#slots = new Array(size).fill(undefined);
    this.#history = history;
    const noted = history ? size : 0;
    this.#positions = new Float64Array(noted);
    this.#lengths = new Uint16Array(noted);
    this.#headers = new Int32Array(noted * HEADER_WORDS);
    this.#headerBytes = new Uint8Array(this.#headers.buffer);
  }

  /** Where the payload of the next packet that is delivered will be in the history; undefined without one. */
  get position(): number | undefined {
    return this.#history?.head;
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
    if (this.#history) this.#lengths[sequence & this.#mask] = 0;
  }

  /**
   * As `put`, for a packet that has been delivered: its payload may be in the history from `position` on, and then it is
   * copied only when somebody asks for it.
   */
  putDelivered(packet: RtpPacket, memory: Memory, offset: number, length: number, position: number | undefined): void {
    const payloadLength = length - RTP_HEADER_BYTES;
    const isPlain = packet.payloadStart === offset + RTP_HEADER_BYTES && packet.payloadEnd === offset + length;
    if (position === undefined || !isPlain || this.#history?.head !== position + payloadLength || offset % WORD_BYTES) {
      this.put(packet, memory, offset, length);
      return;
    }
    if (memory !== this.#source) {
      this.#source = memory;
      this.#sourceWords = new Int32Array(memory.bytes.buffer, 0, Math.floor(memory.bytes.length / WORD_BYTES));
    }
    const index = packet.sequence & this.#mask;
    const from = offset / WORD_BYTES;
    const to = index * HEADER_WORDS;
    this.#headers[to] = this.#sourceWords[from]!;
    this.#headers[to + 1] = this.#sourceWords[from + 1]!;
    this.#headers[to + 2] = this.#sourceWords[from + 2]!;
    this.#positions[index] = position;
    this.#lengths[index] = payloadLength;
    this.#sequences[index] = packet.sequence;
  }

  has(sequence: number): boolean {
    return this.#sequences[sequence & this.#mask] === sequence;
  }

  get(sequence: number): StoredPacket | undefined {
    if (!this.has(sequence)) return undefined;
    const index = sequence & this.#mask;
    return this.#history && this.#lengths[index] !== 0 ? this.#recall(sequence, this.#history) : this.#slots[index];
  }

  /**
   * Writes the first `length` bytes of a packet, and zeros behind its end, to `into` from `offset` on. Takes them from where
   * they are, so that nothing is copied twice.
   * @returns false when the packet is not there
   */
  copy(sequence: number, into: Memory, offset: number, length: number): boolean {
    if (!this.has(sequence)) return false;
    const index = sequence & this.#mask;
    const recalled = this.#history ? this.#lengths[index]! : 0;
    const slot = this.#slots[index];
    const packetLength = recalled > 0 ? RTP_HEADER_BYTES + recalled : slot!.length;
    const end = Math.min(length, packetLength);
    if (recalled === 0) copyBytes(into, offset, slot!.memory, 0, end);
    else {
      const { bytes } = into;
      const from = index * RTP_HEADER_BYTES;
      const header = Math.min(end, RTP_HEADER_BYTES);
      for (let i = 0; i < header; i++) bytes[offset + i] = this.#headerBytes[from + i]!;
      const payload = end - header;
      if (payload > 0 && !this.#history!.recall(this.#positions[index]!, into, offset + header, payload)) {
        this.forget(sequence);
        return false;
      }
    }
    if (end < length) into.bytes.fill(0, offset + end, offset + length);
    return true;
  }

  /** Forgets this packet, and no other that is in its slot. What `get` has answered stays readable until the next `put`. */
  forget(sequence: number): void {
    if (this.has(sequence)) this.#sequences[sequence & this.#mask] = EMPTY;
  }

  clear(): void {
    this.#sequences.fill(EMPTY);
  }

  /** Copies a packet from the history to its slot. Forgets it when it is there no more. */
  #recall(sequence: number, history: MediaHistory): StoredPacket | undefined {
    const index = sequence & this.#mask;
    const payloadLength = this.#lengths[index]!;
    const length = RTP_HEADER_BYTES + payloadLength;
    const slot = this.#slotFor(index, length);
    if (!history.recall(this.#positions[index]!, slot.memory, RTP_HEADER_BYTES, payloadLength)) {
      this.forget(sequence);
      return undefined;
    }
    const { bytes } = slot.memory;
    for (let i = 0, from = index * RTP_HEADER_BYTES; i < RTP_HEADER_BYTES; i++) bytes[i] = this.#headerBytes[from + i]!;
    slot.length = length;
    slot.payloadType = bytes[1]! & 0x7f;
    slot.sequence = sequence;
    slot.payloadStart = RTP_HEADER_BYTES;
    slot.payloadEnd = length;
    this.#lengths[index] = 0;
    return slot;
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
