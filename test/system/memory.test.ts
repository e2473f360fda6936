import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate, copyBytes } from "../../src/system/memory.ts";

describe("memory", () => {
  test.each([1, 8, 500, 1000, 1001, 1536, 1 << 20])("of %d bytes is zeroed and stays where it is", (size) => {
    const from = allocate(size);
    const to = allocate(size);
    expect(from.bytes.every((byte) => byte === 0)).toBe(true);
    // Both make an array without a buffer of its own move.
    from.bytes.subarray(0, 1).fill(7);
    new DataView(to.bytes.buffer).setUint8(size - 1, 8);
    Bun.gc(true);
    copyBytes(to, 0, from, 0, 1);
    expect(to.bytes[0]).toBe(7);
  });

  test("is copied like set(subarray()) does, and nothing else is touched", () => {
    const range = fc.record({
      toOffset: fc.nat(300),
      fromOffset: fc.nat(300),
      length: fc.nat(300),
      size: fc.nat(3000),
    });
    fc.assert(
      fc.property(range, ({ toOffset, fromOffset, length, size }) => {
        const from = allocate(600 + size);
        const to = allocate(600 + size);
        for (const [i] of from.bytes.entries()) from.bytes[i] = i * 7 + 1;
        const expected = to.bytes.slice();
        expected.set(from.bytes.subarray(fromOffset, fromOffset + length), toOffset);
        copyBytes(to, toOffset, from, fromOffset, length);
        expect(Bun.deepEquals(to.bytes, expected)).toBe(true);
      }),
    );
  });
});
