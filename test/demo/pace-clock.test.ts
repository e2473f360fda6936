import { expect, test } from "bun:test";
import fc from "fast-check";
import { PaceClock } from "../../src/demo/pace-clock.ts";

const MAX_BACKLOG_MS = 250;
const MAX_STEP_MS = 40;

const TICKS_PER_MS = 90;

test("follows the wall clock", () => {
  const clock = new PaceClock(5000);
  expect([5000, 5010, 5020, 5045].map((nowMs) => clock.advance(nowMs))).toEqual([0, 900, 1800, 4050]);
});

test("catches up after a late call in bounded steps", () => {
  const clock = new PaceClock(0);
  const late = 100;
  const steps = [0, 10, 20, 30].map((ms) => clock.advance(late + ms) / TICKS_PER_MS);
  expect(steps).toEqual([MAX_STEP_MS, 2 * MAX_STEP_MS, 3 * MAX_STEP_MS, late + 30]);
});

test("leaves out what is more than the largest backlog", () => {
  const clock = new PaceClock(0);
  const hour = 3_600_000;
  let media = 0;
  for (let ms = 0; ms <= 1000; ms += 10) media = clock.advance(hour + ms) / TICKS_PER_MS;
  expect(media).toBe(MAX_BACKLOG_MS + 1000);
});

test("never goes back, never outruns the wall clock, never steps too far", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), (pauses) => {
      const clock = new PaceClock(0);
      let now = 0;
      let media = 0;
      for (const pause of pauses) {
        now += pause;
        const next = clock.advance(now) / TICKS_PER_MS;
        expect(next - media).toBeWithin(0, MAX_STEP_MS + 0.001);
        expect(next).toBeLessThanOrEqual(now);
        media = next;
      }
    }),
  );
});
