import { expect, test } from "bun:test";
import fc from "fast-check";
import { Admission } from "../../src/routes/admission.ts";

test("never lets in more than the limit, and gets each place back once", () => {
  const step = fc.oneof(fc.constant("enter" as const), fc.nat(20));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const admission = new Admission(limit);
      const inside = new Set<() => void>();
      const all: (() => void)[] = [];
      for (const what of steps) {
        if (what === "enter") {
          const leave = admission.enter();
          expect(leave !== undefined).toBe(inside.size < limit);
          if (!leave) continue;
          inside.add(leave);
          all.push(leave);
        } else if (all.length > 0) {
          const leave = all[what % all.length]!;
          leave();
          inside.delete(leave);
        }
        expect(admission.count).toBe(inside.size);
      }
    }),
  );
});
