/** Bytes that did not fit where they should go, in their order. */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";

const FIRST_BYTES = 64 * 1024;

/** It is to be emptied before it is filled again; how much is added until then is the user's to limit. */
export class SpillBuffer {
  #memory: Memory | undefined;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(from: Memory, offset: number, length: number): void {
    const memory = this.#withRoom(length);
    copyBytes(memory, this.#end, from, offset, length);
    this.#end += length;
  }

  /** Moves the first bytes out, at most `length`; answers how many. */
  take(into: Memory, offset: number, length: number): number {
    const count = Math.min(length, this.length);
    if (this.#memory) copyBytes(into, offset, this.#memory, this.#start, count);
    this.#start += count;
    if (this.length === 0) this.clear();
    return count;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
  }

  #withRoom(length: number): Memory {
    const needed = this.#end + length;
    const memory = this.#memory ?? allocate(FIRST_BYTES);
    this.#memory = memory;
    if (needed <= memory.bytes.length) return memory;
    const larger = allocate(Math.max(needed, memory.bytes.length * 2));
    copyBytes(larger, 0, memory, 0, this.#end);
    this.#memory = larger;
    return larger;
  }
}
