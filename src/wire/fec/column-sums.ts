/** Sums of multiples of blocks in GF(256), column by column: what every encoding and decoding of Reed–Solomon parity comes down to. */
import { productsOf } from "./gf256.ts";

/** Some sums, all of the same columns, and the one block that is being added to them. */
export interface ColumnSums {
  /** Begins `count` sums of so many columns at 0. */
  reset(count: number, columns: number): void;
  /** The columns of this block from `from` to `to`, at most as many as sums have, are added next. */
  load(block: Uint8Array, from: number, to: number): void;
  /** A sum itself is added next, to others. */
  loadSum(sum: number): void;
  /** Adds `factor` times what was loaded to a sum. */
  add(sum: number, factor: number): void;
  /** Writes a sum to `into`, from `at` on. */
  read(sum: number, into: Uint8Array, at: number): void;
}

/** One table look-up for each byte. */
export class TableSums implements ColumnSums {
  #sums = new Uint8Array(0);
  #columns = 0;
  #source: Uint8Array = this.#sums;
  #from = 0;
  #length = 0;

  reset(count: number, columns: number): void {
    if (this.#sums.length < count * columns) this.#sums = new Uint8Array(count * columns);
    else this.#sums.fill(0, 0, count * columns);
    this.#columns = columns;
  }

  load(block: Uint8Array, from: number, to: number): void {
    this.#source = block;
    this.#from = from;
    this.#length = to - from;
  }

  loadSum(sum: number): void {
    this.load(this.#sums, sum * this.#columns, (sum + 1) * this.#columns);
  }

  add(sum: number, factor: number): void {
    const products = productsOf(factor);
    const sums = this.#sums;
    const source = this.#source;
    const offset = sum * this.#columns - this.#from;
    const to = this.#from + this.#length;
    for (let at = this.#from; at < to; at++) sums[offset + at]! ^= products[source[at]!]!;
  }

  read(sum: number, into: Uint8Array, at: number): void {
    into.set(this.#sums.subarray(sum * this.#columns, (sum + 1) * this.#columns), at);
  }
}

const FACTORS = 256;
const NIBBLES = 16;
const VECTOR_BYTES = 16;
const PAGE_BYTES = 65536;
/** For each factor, the products of the low nibbles, then those of the high ones. */
const TABLE_BYTES = 2 * NIBBLES;
const TABLES_BYTES = FACTORS * TABLE_BYTES;
/** Packets are stored in areas of so much or less, but for very large ones. */
const BLOCK_BYTES = 2048;

/** Addresses in the memory of the module. */
type AddProducts = (target: number, source: number, end: number, table: number) => void;

/**
 * Sixteen bytes at a time, which is ten times as fast: the product of a byte is that of its low nibble plus that of its high
 * nibble, and a swizzle looks up sixteen nibbles at once. Takes WebAssembly with vectors.
 */
export class VectorSums implements ColumnSums {
  readonly #memory: WebAssembly.Memory;
  readonly #addProducts: AddProducts;
  #bytes: Uint8Array;
  #stride = 0;
  #columns = 0;
  #source = 0;

  /** @throws where WebAssembly or its vectors cannot be had */
  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
    this.#memory = exports["memory"] as WebAssembly.Memory;
    this.#addProducts = exports["add"] as AddProducts;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    for (let factor = 0; factor < FACTORS; factor++) {
      const products = productsOf(factor);
      for (let nibble = 0; nibble < NIBBLES; nibble++) {
        this.#bytes[factor * TABLE_BYTES + nibble] = products[nibble]!;
        this.#bytes[factor * TABLE_BYTES + NIBBLES + nibble] = products[nibble << 4]!;
      }
    }
  }

  reset(count: number, columns: number): void {
    this.#columns = columns;
    this.#stride = Math.ceil(columns / VECTOR_BYTES) * VECTOR_BYTES;
    const end = this.#addressOf(count);
    if (end > this.#bytes.length) {
      this.#memory.grow(Math.ceil((end - this.#bytes.length) / PAGE_BYTES));
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    this.#bytes.fill(0, TABLES_BYTES, end);
  }

  load(block: Uint8Array, from: number, to: number): void {
    // A view of the columns alone would be an object for each block, and dearer than to copy all of it.
    const isSmall = block.length <= BLOCK_BYTES;
    this.#bytes.set(isSmall ? block : block.subarray(from, to), TABLES_BYTES);
    this.#source = TABLES_BYTES + (isSmall ? from : 0);
    if (to - from < this.#stride) this.#bytes.fill(0, this.#source + to - from, this.#source + this.#stride);
  }

  loadSum(sum: number): void {
    this.#source = this.#addressOf(sum);
  }

  add(sum: number, factor: number): void {
    if (this.#stride === 0) return;
    this.#addProducts(this.#addressOf(sum), this.#source, this.#source + this.#stride, factor * TABLE_BYTES);
  }

  read(sum: number, into: Uint8Array, at: number): void {
    const address = this.#addressOf(sum);
    into.set(this.#bytes.subarray(address, address + this.#columns), at);
  }

  /** Behind the tables stands the block that is added, then the sums. */
  #addressOf(sum: number): number {
    return TABLES_BYTES + Math.max(BLOCK_BYTES, this.#columns) + VECTOR_BYTES + sum * this.#stride;
  }
}

/**
 * A module (WebAssembly core specification 2.0, chapter 5) with a memory and one function, `add(target, source, end, table)`:
 * adds the multiples of the vectors from `source` to `end` to those at `target`. Locals: 4 and 5 are the two tables, 6 is a vector.
 */
// biome-ignore format: an instruction or two a line
const MODULE = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 8, 1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0, // types: one function of four i32
  3, 2, 1, 0, // functions: one of that type
  5, 3, 1, 0, 1, // memories: one of one page or more
  7, 16, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 3, 0x61, 0x64, 0x64, 0, 0, // exports: "memory", "add"
  10, 102, 1, 100, 1, 3, 0x7b, // code: one body with three vectors as locals
  0x20, 3, 0xfd, 0, 0, 0, 0x21, 4, // low table = load table
  0x20, 3, 0xfd, 0, 0, 16, 0x21, 5, // high table = load table + 16
  0x03, 0x40, // loop
  0x20, 0, // where to store
  0x20, 0, 0xfd, 0, 0, 0, // load target
  0x20, 4, 0x20, 1, 0xfd, 0, 0, 0, 0x22, 6, // low table, vector = load source
  0xfd, 12, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 0xfd, 0x4e, // and 15
  0xfd, 14, 0xfd, 0x51, // swizzle, xor
  0x20, 5, 0x20, 6, 0x41, 4, 0xfd, 0x6d, // high table, vector >> 4
  0xfd, 14, 0xfd, 0x51, 0xfd, 11, 0, 0, // swizzle, xor, store
  0x20, 0, 0x41, 16, 0x6a, 0x21, 0, // target += 16
  0x20, 1, 0x41, 16, 0x6a, 0x22, 1, 0x20, 2, 0x49, 0x0d, 0, // source += 16; again while it is below the end
  0x0b, 0x0b,
]);
