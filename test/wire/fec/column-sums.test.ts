import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ColumnSums, TableSums, VectorSums } from "../../../src/wire/fec/column-sums.ts";
import { product } from "../../fakes/fec-encoder.ts";

const block = fc.uint8Array({ minLength: 100, maxLength: 100 });
const job = fc.record({
  blocks: fc.array(fc.record({ block, factors: fc.array(fc.nat({ max: 255 }), { minLength: 3, maxLength: 3 }) })),
  from: fc.nat({ max: 50 }),
  columns: fc.nat({ max: 50 }),
  /** Shorter blocks end with zeros. */
  short: fc.nat({ max: 50 }),
});

describe.each<[string, ColumnSums]>([
  ["tables", new TableSums()],
  ["vectors", new VectorSums()],
])("with %s", (_, sums) => {
  test("sums are what long multiplication says, whatever was summed before", () => {
    fc.assert(
      fc.property(job, ({ blocks, from, columns, short }) => {
        const to = from + columns;
        sums.reset(4, columns);
        const expected = [0, 1, 2, 3].map(() => new Uint8Array(columns));
        for (const { block: bytes, factors } of blocks) {
          const end = Math.max(from, to - short);
          sums.load(bytes, from, end);
          for (const [sum, factor] of factors.entries()) {
            sums.add(sum, factor);
            for (let at = from; at < end; at++) expected[sum]![at - from]! ^= product(bytes[at]!, factor);
          }
        }
        sums.loadSum(1);
        sums.add(3, 29);
        for (let i = 0; i < columns; i++) expected[3]![i] = product(expected[1]![i]!, 29);
        for (const [sum, bytes] of expected.entries()) {
          const into = new Uint8Array(columns + 10).fill(7);
          sums.read(sum, into, 5);
          expect(Buffer.compare(into.subarray(5, 5 + columns), bytes)).toBe(0);
          expect([into[4], into[5 + columns]]).toEqual([7, 7]);
        }
      }),
    );
  });

  test("as many and as large as they have to be", () => {
    sums.reset(64, 1536);
    sums.load(new Uint8Array(1536).fill(3), 0, 1536);
    for (let i = 0; i < 64; i++) sums.add(i, i);
    const into = new Uint8Array(1536);
    sums.read(63, into, 0);
    expect(into.every((byte) => byte === product(3, 63))).toBe(true);
  });
});
