import { expect, test } from "bun:test";
import fc from "fast-check";
import { MARK_EVERY_BYTES, UnitIndex } from "../../src/relay/unit-index.ts";

const CAPACITY = 65_536;
/** As many marks as a ring of that size can need. */
const SIZE = (CAPACITY / MARK_EVERY_BYTES) * 2;

const steps = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 3 * SIZE });

/** UnitIndex at the running sums of `gaps`. */
function marksAt(gaps: readonly number[]) {
  const marks = new UnitIndex(CAPACITY);
  const model: { position: number; units: number }[] = [];
  let position = 0;
  gaps.forEach((gap, i) => {
    position += gap;
    model.push({ position, units: i });
    marks.add(position, i);
  });
  return { marks, model, end: position };
}

test("there is none at first", () => {
  const marks = new UnitIndex(CAPACITY);
  expect(marks.newest).toBe(-1);
  expect(marks.atOrAfter(0)).toBeUndefined();
});

test("atOrAfter finds the first of the newest marks that is not before a position", () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat(3000 * 3 * SIZE), { maxLength: 50 }), (gaps, positions) => {
      const { marks, model, end } = marksAt(gaps);
      expect(marks.newest).toBe(end);
      const kept = model.slice(-SIZE);
      const edges = [0, end, end + 1, kept[0]!.position, kept[0]!.position + 1];
      for (const position of [...edges, ...positions.map((p) => p % (end + 1))]) {
        expect(marks.atOrAfter(position)).toEqual(kept.find((mark) => mark.position >= position));
      }
    }),
    { numRuns: 50 },
  );
});

test("copyInto takes over the marks from a position on, the newest of them when not all fit", () => {
  fc.assert(
    fc.property(steps, fc.nat(1000), fc.constantFrom(CAPACITY / 2, CAPACITY, CAPACITY * 4), (gaps, part, capacity) => {
      const { marks, model, end } = marksAt(gaps);
      const from = Math.floor((end * part) / 1000);
      const other = new UnitIndex(capacity);
      marks.copyInto(other, from);
      const size = Math.max(64, (capacity / MARK_EVERY_BYTES) * 2);
      const kept = model
        .slice(-SIZE)
        .filter((mark) => mark.position >= from)
        .slice(-size);
      expect(other.newest).toBe(kept.at(-1)?.position ?? -1);
      for (const position of [0, from, end, end - 5000]) {
        expect(other.atOrAfter(position)).toEqual(kept.find((mark) => mark.position >= position));
      }
    }),
    { numRuns: 50 },
  );
});
