/** Several long works share the turns of the event loop, one slice in each. */

import { expect, test } from "bun:test";
import { inLaterTurn, SLICE_MS, Slices } from "../../src/system/slices.ts";

test("works take turns, and a timer gets its own between two slices", async () => {
  const order: string[] = [];
  const work = async (name: string) => {
    const slices = new Slices();
    for (let slice = 0; slice < 3; slice++) {
      Bun.sleepSync(SLICE_MS + 1);
      expect(slices.isOver).toBeTrue();
      order.push(name);
      await slices.next();
      expect(slices.isOver).toBeFalse();
    }
  };
  setTimeout(() => order.push("timer"), 1);
  await Promise.all([work("a"), work("b")]);
  expect(order.filter((name) => name !== "timer").join("")).toBe("ababab");
  expect(order.indexOf("timer")).toBeLessThan(4);
});

test("a turn runs one task, in their order, and those that tasks add come last", async () => {
  const order: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  inLaterTurn(() => {
    order.push(1);
    setImmediate(() => order.push(10));
    inLaterTurn(() => {
      order.push(3);
      resolve();
    });
  });
  inLaterTurn(() => order.push(2));
  await promise;
  expect(order.filter((n) => n < 10)).toEqual([1, 2, 3]);
  expect(order.indexOf(10)).toBeLessThan(3);
});
