/** What does not fit comes out later, in order and whole. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { SpillBuffer } from "../../../src/upstream/rtsp/spill-buffer.ts";
import { noise } from "../../http/serve.ts";

const AREA_BYTES = 256 * 1024;

test("all bytes come out in their order, however they are cut", () => {
  const from = allocate(AREA_BYTES);
  from.bytes.set(noise(AREA_BYTES));
  const into = allocate(AREA_BYTES);
  const lengths = fc.array(fc.integer({ min: 1, max: AREA_BYTES / 8 }), { maxLength: 8 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: AREA_BYTES }), (adds, take) => {
      const carried = new SpillBuffer();
      const total = adds.reduce((offset, length) => {
        carried.add(from, offset, length);
        return offset + length;
      }, 0);
      expect(carried.length).toBe(total);
      let taken = 0;
      for (let count = 1; count > 0; taken += count)
        count = carried.take(into, taken, Math.min(take, AREA_BYTES - taken));
      expect(taken).toBe(total);
      expect(Buffer.compare(into.bytes.subarray(0, total), from.bytes.subarray(0, total))).toBe(0);
    }),
  );
});

test("what was cleared does not come out", () => {
  const memory = allocate(64);
  const carried = new SpillBuffer();
  carried.add(memory, 0, 64);
  carried.clear();
  expect(carried.length).toBe(0);
  expect(carried.take(memory, 0, 64)).toBe(0);
});
