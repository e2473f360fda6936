/** Makes Reed–Solomon parity of RTP datagrams (multicast.md sections 9.2 and 9.5). */

import { emitParityPacket } from "../wire/fec/parity-packet.ts";
import { type Blocks, Generator } from "../wire/fec/reed-solomon.ts";
import { DATAGRAM_BYTES } from "./rtp-feed.ts";

/** A lost datagram waits for the end of its group. These are on the air within half a second, as long as a relay waits at least. */
export const PROTECTED_PER_GROUP = 5;
export const PARITY_PER_GROUP = 1;

export class ParityEncoder {
  readonly #send: (parity: Uint8Array) => void;
  readonly #generator = new Generator("alpha", PROTECTED_PER_GROUP);
  readonly #group = Array.from({ length: PROTECTED_PER_GROUP }, () => new Uint8Array(DATAGRAM_BYTES));
  readonly #blocks: Blocks = {
    copy: (place, into, at, length) => {
      into.set(this.#group[place]!.subarray(0, length), at);
      return true;
    },
  };
  readonly #parity = new Uint8Array(DATAGRAM_BYTES);
  #filled = 0;
  #sequence = 0;

  /** `send` is called for all parity of a group when the last datagram of that has come. */
  constructor(send: (parity: Uint8Array) => void) {
    this.#send = send;
  }

  /** Takes a datagram of `DATAGRAM_BYTES`, in the order of sequence numbers. */
  push(datagram: Uint8Array): void {
    this.#group[this.#filled]!.set(datagram);
    if (++this.#filled < PROTECTED_PER_GROUP) return;
    this.#filled = 0;
    for (let index = 0; index < PARITY_PER_GROUP; index++) this.#send(this.#encode(index));
  }

  #encode(index: number): Uint8Array {
    this.#generator.encode(index, this.#blocks, this.#parity, 0, DATAGRAM_BYTES);
    const packet = {
      begin: sequenceOf(this.#group[0]!),
      end: sequenceOf(this.#group.at(-1)!),
      dataCount: PROTECTED_PER_GROUP,
      parityCount: PARITY_PER_GROUP,
      index,
      blockLength: DATAGRAM_BYTES,
      parityStart: 0,
      parityLength: DATAGRAM_BYTES,
    };
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return emitParityPacket(packet, this.#parity, this.#sequence);
  }
}

function sequenceOf(datagram: Uint8Array): number {
  return (datagram[2]! << 8) | datagram[3]!;
}
