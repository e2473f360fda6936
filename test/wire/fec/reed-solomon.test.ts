import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Blocks, canCode, ErasureDecoder, type FecCode, Generator } from "../../../src/wire/fec/reed-solomon.ts";
import { coefficients, parityBlocks } from "../../fakes/fec-encoder.ts";

const CODES: readonly FecCode[] = ["integer", "alpha"];

const hex = (row: Iterable<number>) => Buffer.from([...row]).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

function blocksOf(packets: readonly (Uint8Array | undefined)[]): Blocks {
  return {
    copy(place, into, at, length) {
      const packet = packets[place];
      if (packet) into.fill(0, at, at + length).set(packet.subarray(0, length), at);
      return packet !== undefined;
    },
  };
}

function encode(code: FecCode, packets: readonly Uint8Array[], m: number, length: number): Uint8Array[] {
  const generator = new Generator(code, packets.length);
  return Array.from({ length: m }, (_, index) => {
    const parity = new Uint8Array(length);
    generator.encode(index, blocksOf(packets), parity, 0, length);
    return parity;
  });
}

describe("the check values", () => {
  test.each<[FecCode, number, number, string[], string, string]>([
    ["integer", 3, 1, ["010101"], "010203", "00"],
    ["alpha", 3, 1, ["080e07"], "010203", "1d"],
    ["integer", 4, 2, ["1b1c1214", "1c1b1412"], "10203040", "2489"],
    ["alpha", 4, 2, ["4078360f", "e7d25763"], "10203040", "e147"],
  ])("of code %s for (%d, %d)", (code, k, m, rows, data, parity) => {
    const generator = new Generator(code, k);
    expect(rows.map((_, index) => hex(generator.row(index)))).toEqual(rows);
    const packets = [...bytes(data)].map((value) => Uint8Array.of(value));
    expect(hex(encode(code, packets, m, 1).map(([value]) => value!))).toBe(parity);
  });

  test("for (10, 2) and (100, 5)", () => {
    const integer = new Generator("integer", 10);
    const alpha = new Generator("alpha", 10);
    expect([integer.row(0), integer.row(1)].map(hex)).toEqual(["8196afb8d2c4fee80302", "9681b8afc4d2e8fe0203"]);
    expect([alpha.row(0), alpha.row(1)].map(hex)).toEqual(["c19d715f5ec76f9fc2d8", "d4d942c83e607dda3e41"]);
    const large = new Generator("integer", 100);
    expect(hex(large.row(0).subarray(0, 10))).toBe("208589dfd065b2f44456");
    expect(hex(large.row(4).subarray(0, 10))).toBe("3c66a811ccfa416f0a26");
    const packets = Array.from({ length: 100 }, (_, i) => Uint8Array.of(i + 1));
    expect(hex(encode("integer", packets, 5, 1).map(([value]) => value!))).toBe("b176683ef0");
  });
});

test("the coefficients are those of the definition, up to the largest group", () => {
  for (const code of CODES) {
    for (const [k, m] of [
      [1, 1],
      [7, 3],
      [48, 3],
      [250, 5],
    ] as const) {
      expect(canCode(code, k, m)).toBe(true);
      const generator = new Generator(code, k);
      expect(Array.from({ length: m }, (_, i) => [...generator.row(i)])).toEqual(coefficients(code, k, m));
    }
  }
  expect([canCode("integer", 251, 5), canCode("integer", 252, 5)]).toEqual([true, false]);
  expect([canCode("alpha", 250, 5), canCode("alpha", 251, 5)]).toEqual([true, false]);
});

/** A group of packets of different lengths, its size m, the columns that are coded, and what is lost of both. */
const group = fc
  .record({
    code: fc.constantFrom(...CODES),
    packets: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 40 }),
    m: fc.integer({ min: 1, max: 8 }),
    length: fc.integer({ min: 1, max: 40 }),
    slices: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
  })
  .chain((shape) =>
    fc
      .shuffledSubarray(
        Array.from({ length: shape.packets.length + shape.m }, (_, i) => i),
        { minLength: shape.packets.length, maxLength: shape.packets.length },
      )
      .map((kept) => ({ ...shape, kept: new Set(kept) })),
  );

test("any k of k + m packets decode to the same bytes, whatever the columns are cut into", () => {
  fc.assert(
    fc.property(group, ({ code, packets, m, length, slices, kept }) => {
      const k = packets.length;
      const parities = parityBlocks(code, packets, m, length);
      const missing = packets.flatMap((_, r) => (kept.has(r) ? [] : [r]));
      const indexes = parities.flatMap((_, i) => (kept.has(k + i) ? [i] : [])).slice(0, missing.length);
      const decoder = new ErasureDecoder();
      expect(decoder.begin(new Generator(code, k), missing, indexes)).toBe(true);
      const into = missing.map(() => new Uint8Array(length).fill(0xee));
      const blocks = blocksOf(packets.map((packet, r) => (kept.has(r) ? packet : undefined)));
      const chosen = indexes.map((i) => parities[i]!);
      const cuts = [0, ...slices.filter((cut) => cut < length).sort((a, b) => a - b), length];
      for (let i = 1; i < cuts.length; i++) {
        expect(decoder.solve(blocks, chosen, into, cuts[i - 1]!, cuts[i]!)).toBe(true);
      }
      missing.forEach((r, j) => {
        const expected = new Uint8Array(length);
        expected.set(packets[r]!.subarray(0, length));
        expect(Buffer.compare(into[j]!, expected)).toBe(0);
      });
    }),
  );
});

test("the same parity block twice solves nothing", () => {
  expect(new ErasureDecoder().begin(new Generator("alpha", 5), [1, 2], [0, 0])).toBe(false);
});

test("nothing is solved, nor encoded, while a block is missing of which nobody has said so", () => {
  const blocks = blocksOf([Uint8Array.of(1), undefined, undefined]);
  const generator = new Generator("alpha", 3);
  const decoder = new ErasureDecoder();
  expect(decoder.begin(generator, [1], [0])).toBe(true);
  expect(decoder.solve(blocks, [Uint8Array.of(7)], [new Uint8Array(1)], 0, 1)).toBe(false);
  expect(generator.encode(0, blocks, new Uint8Array(1), 0, 1)).toBe(false);
});
