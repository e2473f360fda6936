/** Sums of multiples of blocks in GF(256), column by column: what every encoding and decoding of Reed–Solomon parity comes down to. */
import { productsOf } from "./gf256.ts";

/** The blocks of a group, which lie one behind the other in `bytes`, and some sums, all of the same columns. */
export interface ColumnSums {
  /** Where blocks are to be written to; another array after some calls of `reset`. */
  readonly bytes: Uint8Array;
  /** From one block to the next; the first one begins at `blocksAt`. */
  readonly stride: number;
  readonly blocksAt: number;
  /** Makes room for blocks of `length` bytes, which hold anything until they are written, and begins sums of them at 0. */
  reset(blocks: number, sums: number, length: number): void;
  /** The columns of `block` from `from` to `to` are what a sum begins with. */
  begin(sum: number, block: Uint8Array, from: number, to: number): void;
  /** Adds to a sum the columns from `from` to `to` of all blocks, each of them times its factor. */
  addBlocks(sum: number, factors: Uint8Array, from: number, to: number): void;
  /** Adds `factor` times the sum `other` to a sum, the columns from `from` to `to`. */
  addSum(sum: number, factor: number, other: number, from: number, to: number): void;
  /** Writes the columns from `from` to `to` of a sum to the same columns of `into`. */
  read(sum: number, into: Uint8Array, from: number, to: number): void;
}

/** One table look-up for each byte. */
export class TableSums implements ColumnSums {
  bytes = new Uint8Array(0);
  stride = 0;
  readonly blocksAt = 0;
  #sumsAt = 0;

  reset(blocks: number, sums: number, length: number): void {
    this.stride = length;
    this.#sumsAt = blocks * length;
    const end = this.#sumsAt + sums * length;
    // With a buffer of its own, or a small array would move when `read` takes a subarray, while others know its address.
    if (this.bytes.length < end) this.bytes = new Uint8Array(new ArrayBuffer(end));
    else this.bytes.fill(0, this.#sumsAt, end);
  }

  begin(sum: number, block: Uint8Array, from: number, to: number): void {
    this.bytes.set(block.subarray(from, to), this.#sumsAt + sum * this.stride + from);
  }

  addBlocks(sum: number, factors: Uint8Array, from: number, to: number): void {
    factors.forEach((factor, block) => {
      this.#add(sum, factor, block * this.stride, from, to);
    });
  }

  addSum(sum: number, factor: number, other: number, from: number, to: number): void {
    this.#add(sum, factor, this.#sumsAt + other * this.stride, from, to);
  }

  read(sum: number, into: Uint8Array, from: number, to: number): void {
    const at = this.#sumsAt + sum * this.stride;
    into.set(this.bytes.subarray(at + from, at + to), from);
  }

  #add(sum: number, factor: number, source: number, from: number, to: number): void {
    const products = productsOf(factor);
    const { bytes } = this;
    const target = this.#sumsAt + sum * this.stride;
    for (let at = from; at < to; at++) bytes[target + at]! ^= products[bytes[source + at]!]!;
  }
}

const FACTORS = 256;
const NIBBLES = 16;
const PAGE_BYTES = 65536;
/** For each factor, the products of the low nibbles, then those of the high ones. */
const TABLE_BYTES = 2 * NIBBLES;
const TABLES_BYTES = FACTORS * TABLE_BYTES;
/** Of the columns, so many are added in one go. */
const STEP_BYTES = 64;

/** Addresses in the memory of the module: a sum and its end, the blocks, from each to the next, their factors and the end of those. */
type AddBlocks = (sum: number, sumEnd: number, blocks: number, stride: number, factors: number, end: number) => void;

/**
 * Sixteen bytes at a time, which is ten times as fast: the product of a byte is that of its low nibble plus that of its high
 * nibble, and a swizzle looks up sixteen nibbles at once. Takes WebAssembly with vectors. One call adds a whole group, with
 * the sum of 64 columns in registers.
 */
export class VectorSums implements ColumnSums {
  bytes: Uint8Array;
  stride = 0;
  readonly blocksAt = TABLES_BYTES + FACTORS;
  readonly #memory: WebAssembly.Memory;
  readonly #addBlocks: AddBlocks;
  #sumsAt = 0;

  /** @throws where WebAssembly or its vectors cannot be had */
  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(vectorModule()));
    this.#memory = exports["memory"] as WebAssembly.Memory;
    this.#addBlocks = exports["add"] as AddBlocks;
    this.bytes = new Uint8Array(this.#memory.buffer);
    for (let factor = 0; factor < FACTORS; factor++) {
      const products = productsOf(factor);
      for (let nibble = 0; nibble < NIBBLES; nibble++) {
        this.bytes[factor * TABLE_BYTES + nibble] = products[nibble]!;
        this.bytes[factor * TABLE_BYTES + NIBBLES + nibble] = products[nibble << 4]!;
      }
    }
  }

  reset(blocks: number, sums: number, length: number): void {
    // A step may reach beyond the last column, wherever it begins.
    this.stride = Math.ceil(length / STEP_BYTES) * STEP_BYTES;
    this.#sumsAt = this.blocksAt + blocks * this.stride + STEP_BYTES;
    const end = this.#addressOf(sums);
    if (end > this.bytes.length) {
      this.#memory.grow(Math.ceil((end - this.bytes.length) / PAGE_BYTES));
      this.bytes = new Uint8Array(this.#memory.buffer);
    }
    this.bytes.fill(0, this.#sumsAt, end);
  }

  begin(sum: number, block: Uint8Array, from: number, to: number): void {
    this.bytes.set(block.subarray(from, to), this.#addressOf(sum) + from);
  }

  addBlocks(sum: number, factors: Uint8Array, from: number, to: number): void {
    this.bytes.set(factors, TABLES_BYTES);
    this.#add(sum, this.blocksAt, factors.length, from, to);
  }

  addSum(sum: number, factor: number, other: number, from: number, to: number): void {
    this.bytes[TABLES_BYTES] = factor;
    this.#add(sum, this.#addressOf(other), 1, from, to);
  }

  read(sum: number, into: Uint8Array, from: number, to: number): void {
    const address = this.#addressOf(sum);
    into.set(this.bytes.subarray(address + from, address + to), from);
  }

  #add(sum: number, blocks: number, count: number, from: number, to: number): void {
    if (from >= to || count === 0) return;
    const target = this.#addressOf(sum);
    this.#addBlocks(target + from, target + to, blocks + from, this.stride, TABLES_BYTES, TABLES_BYTES + count);
  }

  /** Behind the tables stand the factors, then the blocks, then the sums, each with room for what a step writes too much. */
  #addressOf(sum: number): number {
    return this.#sumsAt + sum * (this.stride + STEP_BYTES);
  }
}

/**
 * A module (WebAssembly core specification 2.0, chapter 5) with a memory and one function, `add`, whose parameters are those of
 * `AddBlocks`. Locals: 6 is a block, 7 its factor's address, 8 the factor's table; then vectors: 9 and 10 are the two tables, 11
 * is a part of the block, 12 has 15 everywhere, 13 to 16 are the sum.
 */
function vectorModule(): Uint8Array<ArrayBuffer> {
  const parts = [0, 1, 2, 3];
  // biome-ignore format: an instruction or two a line
  const body = [
    2, 3, 0x7f, 8, 0x7b, // three i32 and eight vectors as locals
    0xfd, 12, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 0x21, 12, // fifteens
    0x03, 0x40, // loop over the columns
    ...parts.flatMap((i) => [0x20, 0, 0xfd, 0, 0, 16 * i, 0x21, 13 + i]), // part = load sum + 16 i
    0x20, 2, 0x21, 6, 0x20, 4, 0x21, 7, // the first block and its factor
    0x03, 0x40, // loop over the blocks
    0x20, 7, 0x2d, 0, 0, 0x41, 5, 0x74, 0x22, 8, // table = factor × 32
    0xfd, 0, 0, 0, 0x21, 9, 0x20, 8, 0xfd, 0, 0, 16, 0x21, 10, // load both tables
    ...parts.flatMap((i) => [
      0x20, 13 + i, 0x20, 9, 0x20, 6, 0xfd, 0, 0, 16 * i, 0x22, 11, // part, low table, vector = load block + 16 i
      0x20, 12, 0xfd, 0x4e, 0xfd, 14, 0xfd, 0x51, // and 15, swizzle, xor
      0x20, 10, 0x20, 11, 0x41, 4, 0xfd, 0x8d, 1, // high table, vector >> 4 in lanes of 16 bits
      0x20, 12, 0xfd, 0x4e, 0xfd, 14, 0xfd, 0x51, 0x21, 13 + i, // and 15, swizzle, xor, part
    ]),
    0x20, 6, 0x20, 3, 0x6a, 0x21, 6, // the next block
    0x20, 7, 0x41, 1, 0x6a, 0x22, 7, 0x20, 5, 0x49, 0x0d, 0, // the next factor; again while there is one
    0x0b,
    ...parts.flatMap((i) => [0x20, 0, 0x20, 13 + i, 0xfd, 11, 0, 16 * i]), // store the parts
    0x20, 2, 0x41, 0xc0, 0, 0x6a, 0x21, 2, // blocks += 64
    0x20, 0, 0x41, 0xc0, 0, 0x6a, 0x22, 0, 0x20, 1, 0x49, 0x0d, 0, // sum += 64; again while it is below the end
    0x0b, 0x0b,
  ];
  // biome-ignore format: a section a line
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    1, 10, 1, 0x60, 6, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0, // types: one function of six i32
    3, 2, 1, 0, // functions: one of that type
    5, 3, 1, 0, 1, // memories: one of one page or more
    7, 16, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 3, 0x61, 0x64, 0x64, 0, 0, // exports: "memory", "add"
    10, ...leb128(1 + 2 + body.length), 1, ...leb128(body.length), ...body, // code: one body
  ]);
}

/** A number from 128 to 16383. */
function leb128(value: number): number[] {
  return [(value & 0x7f) | 0x80, value >> 7];
}
