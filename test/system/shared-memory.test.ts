import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { join } from "node:path";
import { createSharedFloats, createSharedIntegers, mapFloats, mapIntegers } from "../../src/system/shared-memory.ts";

const MODULE = join(import.meta.dir, "../../src/system/shared-memory.ts");
const ROUNDS = 100_000;
/** Each process adds with compare-and-exchange, which loses counts where memory is not shared or not atomic. */
const ADDER = `
  const { mapIntegers } = await import(${JSON.stringify(MODULE)});
  const integers = mapIntegers(3, 2);
  Atomics.add(integers, 1, 1);
  while (Atomics.load(integers, 1) < 3);
  for (let i = 0; i < ${ROUNDS}; i++) {
    for (let seen = Atomics.load(integers, 0), before; ; seen = before) {
      before = Atomics.compareExchange(integers, 0, seen, seen + 1);
      if (before === seen) break;
    }
  }
`;

test("several processes count in the same memory and lose nothing", async () => {
  const fd = createSharedIntegers(2);
  const integers = mapIntegers(fd, 2);
  expect([...integers]).toEqual([0, 0]);
  const children = [0, 1].map(() =>
    Bun.spawn([process.execPath, "-e", ADDER], { stdio: ["ignore", "inherit", "inherit", fd] }),
  );
  Atomics.add(integers, 1, 1);
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0]);
  expect(Atomics.load(integers, 0)).toBe(2 * ROUNDS);
  closeSync(fd);
});

test("floats are seen through every mapping, whole and exact", () => {
  const fd = createSharedFloats(3);
  const [one, other] = [mapFloats(fd, 3), mapFloats(fd, 3)];
  expect([...other]).toEqual([0, 0, 0]);
  one[2] = Number.MAX_SAFE_INTEGER;
  expect([...other]).toEqual([0, 0, Number.MAX_SAFE_INTEGER]);
  closeSync(fd);
  expect(other[2]).toBe(Number.MAX_SAFE_INTEGER);
});
