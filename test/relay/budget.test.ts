import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Budget, SLOT_BYTES } from "../../src/relay/budget.ts";

describe("Budget", () => {
  test("gives up to its total, more only when forced", () => {
    const bytes = fc.integer({ min: 1, max: 50 * SLOT_BYTES });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(fc.tuple(bytes, fc.boolean())), (slots, steps) => {
        const budget = new Budget(slots);
        let used = 0;
        for (const [amount, forced] of steps) {
          const expected = forced || used + amount <= slots * SLOT_BYTES;
          expect(budget.take(amount, forced)).toBe(expected);
          if (expected) used += amount;
          expect(budget.usedBytes).toBe(used);
        }
        budget.giveBack(used);
        expect(budget.usedBytes).toBe(0);
      }),
    );
  });

  test("takes bytes back even when more than the total is in use", () => {
    const budget = new Budget(1);
    budget.take(10 * SLOT_BYTES, true);
    expect(budget.take(-SLOT_BYTES)).toBe(true);
    expect(budget.usedBytes).toBe(9 * SLOT_BYTES);
  });
});
