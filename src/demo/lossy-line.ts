/** A line that loses packets, the same ones in every run, but never more of a group than its parity gives back. */

import { PARITY_PER_GROUP, PROTECTED_PER_GROUP } from "./parity-encoder.ts";

const LOSS = 0.01;
const SEED = 0x51ce;

export class LossyLine {
  #state = SEED;
  #inGroup = 0;
  #lostInGroup = 0;

  /** Whether the next packet is lost. */
  loses(): boolean {
    const isLost = this.#random() < LOSS && this.#lostInGroup < PARITY_PER_GROUP;
    if (isLost) this.#lostInGroup++;
    if (++this.#inGroup === PROTECTED_PER_GROUP) this.#inGroup = this.#lostInGroup = 0;
    return isLost;
  }

  /** From 0 up to, not including, 1: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }
}
