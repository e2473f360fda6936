import { expect, test } from "bun:test";
import { LossyLine } from "../../src/demo/lossy-line.ts";
import { PARITY_PER_GROUP, PROTECTED_PER_GROUP } from "../../src/demo/parity-encoder.ts";

function losses(packets: number): boolean[] {
  const line = new LossyLine();
  return Array.from({ length: packets }, () => line.loses());
}

test("loses its part of the packets, the same ones each time", () => {
  const lost = losses(100_000);
  expect(lost.filter(Boolean).length).toBeWithin(900, 1100);
  expect(losses(lost.length)).toEqual(lost);
});

test("never loses more of a group than parity gives back", () => {
  const lost = losses(100_000 * PROTECTED_PER_GROUP);
  for (let begin = 0; begin < lost.length; begin += PROTECTED_PER_GROUP) {
    const group = lost.slice(begin, begin + PROTECTED_PER_GROUP);
    expect(group.filter(Boolean).length).toBeLessThanOrEqual(PARITY_PER_GROUP);
  }
});

test("soon loses something", () => {
  expect(losses(300)).toContain(true);
});
