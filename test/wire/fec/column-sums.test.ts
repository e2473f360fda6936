import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ColumnSums, TableSums, VectorSums } from "../../../src/wire/fec/column-sums.ts";
import { product } from "../../fakes/fec-encoder.ts";

const LENGTH = 200;
const block = fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH });
const job = fc.record({
  blocks: fc.array(fc.record({ block, factors: fc.array(fc.nat({ max: 255 }), { minLength: 2, maxLength: 2 }) })),
  beginning: block,
  from: fc.nat({ max: 100 }),
  columns: fc.nat({ max: 100 }),
});

describe.each<[string, ColumnSums]>([
  ["tables", new TableSums()],
  ["vectors", new VectorSums()],
])("with %s", (_, sums) => {
  test("sums are what long multiplication says, whatever was summed before", () => {
    fc.assert(
      fc.property(job, ({ blocks, beginning, from, columns }) => {
        const to = from + columns;
        sums.reset(blocks.length, 3, LENGTH);
        for (const [i, { block: bytes }] of blocks.entries()) sums.bytes.set(bytes, sums.blocksAt + i * sums.stride);
        const expected = [0, 1, 2].map(() => new Uint8Array(LENGTH));
        sums.begin(1, beginning, from, to);
        expected[1]!.set(beginning);
        for (const sum of [0, 1]) {
          const factors = Uint8Array.from(blocks, ({ factors }) => factors[sum]!);
          sums.addBlocks(sum, factors, from, to);
          for (const [i, { block: bytes }] of blocks.entries()) {
            for (let at = from; at < to; at++) expected[sum]![at]! ^= product(bytes[at]!, factors[i]!);
          }
        }
        sums.addSum(2, 29, 1, from, to);
        sums.addSum(2, 1, 0, from, to);
        for (let at = from; at < to; at++) expected[2]![at] = product(expected[1]![at]!, 29) ^ expected[0]![at]!;
        for (const [sum, bytes] of expected.entries()) {
          const into = new Uint8Array(LENGTH + 1).fill(7);
          sums.read(sum, into, from, to);
          const others = new Uint8Array(LENGTH + 1).fill(7);
          others.set(bytes.subarray(from, to), from);
          expect(Buffer.compare(into, others)).toBe(0);
        }
      }),
    );
  });

  test("as many and as large as they have to be", () => {
    sums.reset(256, 64, 1536);
    sums.bytes.fill(3, sums.blocksAt + 255 * sums.stride, sums.blocksAt + 256 * sums.stride);
    const factors = new Uint8Array(256);
    for (let i = 0; i < 64; i++) {
      factors[255] = i;
      sums.addBlocks(i, factors, 0, 1536);
    }
    const into = new Uint8Array(1536);
    for (const i of [0, 1, 62, 63]) {
      sums.read(i, into, 0, 1536);
      expect(into.every((byte) => byte === product(3, i))).toBe(true);
    }
  });
});
