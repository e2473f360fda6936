/** The packets of one group as the blocks that parity is reckoned from, copied from where the window has them. */
import { areaOf, type Memory } from "../../system/memory.ts";
import type { Blocks } from "../../wire/fec/reed-solomon.ts";
import type { PacketWindow } from "./packet-window.ts";

export class GroupBlocks implements Blocks {
  readonly #window: PacketWindow;
  #begin = 0;
  /** Places of what a decode has brought, and the packets. */
  #solved: readonly number[] = [];
  #packets: readonly Memory[] = [];
  /** Nearly always the same. */
  #into: Memory | undefined;

  constructor(window: PacketWindow) {
    this.#window = window;
  }

  /** From now on these are the packets from `begin` on, which have come. */
  of(begin: number): this {
    this.#begin = begin;
    this.#solved = [];
    return this;
  }

  /** As `of`, and in the places `solved`, which are missing, stand those that a decode has brought. */
  completed(begin: number, solved: readonly number[], packets: readonly Memory[]): this {
    this.#begin = begin;
    this.#solved = solved;
    this.#packets = packets;
    return this;
  }

  /** Places, among so many, of the packets that have not come. */
  missing(dataCount: number): number[] {
    const missing: number[] = [];
    for (let place = 0; place < dataCount; place++) {
      if (!this.#window.has((this.#begin + place) & 0xffff)) missing.push(place);
    }
    return missing;
  }

  copy(place: number, into: Uint8Array, at: number, length: number): boolean {
    const solved = this.#solved.indexOf(place);
    if (solved >= 0) {
      into.set(this.#packets[solved]!.bytes.subarray(0, length), at);
      return true;
    }
    if (this.#into?.bytes !== into) this.#into = areaOf(into);
    return this.#window.copy((this.#begin + place) & 0xffff, this.#into, at, length);
  }
}
