/** The two Reed–Solomon codes that are on the air, and decoding what is missing of a group (multicast.md sections 9.5 and 9.6). */
import { type ColumnSums, TableSums, VectorSums } from "./column-sums.ts";
import { inverse, logarithm, multiply, power } from "./gf256.ts";

/**
 * Parity `i` of `k` blocks is the value at x(k + i) of the polynomial of degree < k whose value at x(r) is block `r`.
 * Code I ("integer") has x(r) = r, code A ("alpha") has x(r) = 2^r.
 */
export type FecCode = "integer" | "alpha";

/** Data and parity blocks together, at most: as many points as there are. */
const MAX_BLOCKS: Readonly<Record<FecCode, number>> = { integer: 256, alpha: 255 };

export function canCode(code: FecCode, dataCount: number, parityCount: number): boolean {
  return dataCount + parityCount <= MAX_BLOCKS[code];
}

/** The data blocks of a group. */
export interface Blocks {
  /**
   * Writes the first `length` bytes of a block to `into` from `at` on, zeros for those that it does not have.
   * @returns false when it is missing
   */
  copy(place: number, into: Uint8Array, at: number, length: number): boolean;
}

/** The coefficients of a code for groups of `dataCount` blocks. */
export class Generator {
  readonly code: FecCode;
  readonly dataCount: number;
  /** Logarithm of the product of x(c) − x(r) over all r other than c. */
  readonly #weights: Int32Array;
  readonly #rows: (Uint8Array | undefined)[] = [];

  constructor(code: FecCode, dataCount: number) {
    this.code = code;
    this.dataCount = dataCount;
    this.#weights = Int32Array.from({ length: dataCount }, (_, c) => this.#logProduct(this.#point(c), c));
  }

  /** What parity block `index` adds of each data block: coefficients in their order. */
  row(index: number): Uint8Array {
    this.#rows[index] ??= this.#makeRow(index);
    return this.#rows[index];
  }

  /**
   * Writes the columns from `from` to `to` of parity block `index`.
   * @returns false when one of the blocks is missing
   */
  encode(index: number, blocks: Blocks, into: Uint8Array, from: number, to: number): boolean {
    const sums = columnSums();
    sums.reset(this.dataCount, 1, to);
    for (let place = 0, at = sums.blocksAt; place < this.dataCount; place++, at += sums.stride) {
      if (!blocks.copy(place, sums.bytes, at, to)) return false;
    }
    sums.addBlocks(0, this.row(index), from, to);
    sums.read(0, into, from, to);
    return true;
  }

  #makeRow(index: number): Uint8Array {
    const point = this.#point(this.dataCount + index);
    const all = this.#logProduct(point, -1);
    return Uint8Array.from(this.#weights, (weight, c) => power(all - logarithm(point ^ this.#point(c)) - weight));
  }

  #point(r: number): number {
    return this.code === "integer" ? r : power(r);
  }

  #logProduct(point: number, without: number): number {
    let sum = 0;
    for (let r = 0; r < this.dataCount; r++) if (r !== without) sum += logarithm(point ^ this.#point(r));
    return sum;
  }
}

/** Solves the small system of the missing blocks of a group, for as many columns at a time as the caller likes. */
export class ErasureDecoder {
  #generator: Generator | undefined;
  /** Places of the missing blocks, and which parity blocks stand in for them. */
  #missing: readonly number[] = [];
  /** For each of the parity blocks that stand in for them, what it adds of the blocks that are there. */
  #rows: readonly Uint8Array[] = [];
  /** Row by row: missing blocks from what the parity blocks say of them. */
  #inverse: Uint8Array = new Uint8Array(0);

  /**
   * @param missing places of the missing blocks, in their order
   * @param indexes as many indexes of parity blocks
   * @returns false when it cannot be solved
   */
  begin(generator: Generator, missing: readonly number[], indexes: readonly number[]): boolean {
    this.#generator = generator;
    this.#missing = missing;
    const size = missing.length;
    const matrix = new Uint8Array(size * size);
    this.#rows = indexes.map((index, i) => {
      const row = generator.row(index).slice();
      missing.forEach((place, j) => {
        matrix[i * size + j] = row[place]!;
        row[place] = 0;
      });
      return row;
    });
    const solution = size === 1 && matrix[0] ? Uint8Array.of(inverse(matrix[0])) : inverted(matrix, size);
    if (!solution) return false;
    this.#inverse = solution;
    return true;
  }

  /**
   * Writes the columns from `from` to `to` of the missing blocks.
   * @param parities the parity blocks, in the order of their indexes, from their first column on
   * @param into the missing blocks, in the order of their places
   * @returns false when more blocks are missing
   */
  solve(
    blocks: Blocks,
    parities: readonly Uint8Array[],
    into: readonly Uint8Array[],
    from: number,
    to: number,
  ): boolean {
    const size = this.#missing.length;
    const sums = columnSums();
    const { dataCount } = this.#generator!;
    sums.reset(dataCount, 2 * size, to);
    for (let place = 0, at = sums.blocksAt, passed = 0; place < dataCount; place++, at += sums.stride) {
      if (place === this.#missing[passed]) passed++;
      else if (!blocks.copy(place, sums.bytes, at, to)) return false;
    }
    for (let i = 0; i < size; i++) {
      sums.begin(i, parities[i]!, from, to);
      // Subtracting the blocks that are there leaves what the missing ones have added.
      sums.addBlocks(i, this.#rows[i]!, from, to);
      for (let j = 0; j < size; j++) sums.addSum(size + j, this.#inverse[j * size + i]!, i, from, to);
    }
    for (let j = 0; j < size; j++) sums.read(size + j, into[j]!, from, to);
    return true;
  }
}

/** Made when the first packet is lost; everybody uses it in turn. */
let sums: ColumnSums | undefined;

function columnSums(): ColumnSums {
  sums ??= makeColumnSums();
  return sums;
}

function makeColumnSums(): ColumnSums {
  try {
    return new VectorSums();
  } catch {
    return new TableSums();
  }
}

/** The inverse of a square matrix, row by row (Gauss and Jordan); undefined when it has none. Destroys the matrix. */
function inverted(matrix: Uint8Array, size: number): Uint8Array | undefined {
  const result = new Uint8Array(size * size);
  for (let i = 0; i < size; i++) result[i * size + i] = 1;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    while (pivot < size && matrix[pivot * size + column] === 0) pivot++;
    if (pivot === size) return undefined;
    swapRows(matrix, size, pivot, column);
    swapRows(result, size, pivot, column);
    const factor = inverse(matrix[column * size + column]!);
    for (const rows of [matrix, result]) {
      for (let i = column * size; i < (column + 1) * size; i++) rows[i] = multiply(rows[i]!, factor);
    }
    for (let row = 0; row < size; row++) {
      const share = matrix[row * size + column]!;
      if (row === column || share === 0) continue;
      for (const rows of [matrix, result]) {
        for (let i = 0; i < size; i++) rows[row * size + i]! ^= multiply(share, rows[column * size + i]!);
      }
    }
  }
  return result;
}

function swapRows(rows: Uint8Array, size: number, a: number, b: number): void {
  if (a === b) return;
  const kept = rows.slice(a * size, (a + 1) * size);
  rows.copyWithin(a * size, b * size, (b + 1) * size);
  rows.set(kept, b * size);
}
