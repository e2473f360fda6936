import { expect, test } from "bun:test";
import { USUAL_TICK_MS } from "../../../src/relay/tick.ts";
import { ReadPace } from "../../../src/upstream/rtp/read-pace.ts";

const LARGE = 8 * 1024 * 1024;
const SMALL = 425_984;

test("is quick until the first picture, or until the time for it is over", () => {
  const settled = new ReadPace(0, 300);
  expect(settled.tickMs).toBe(2);
  settled.observe(0, LARGE, 299);
  expect(settled.tickMs).toBe(2);
  settled.settle();
  expect(settled.tickMs).toBe(USUAL_TICK_MS);

  const late = new ReadPace(0, 300);
  late.observe(0, LARGE, 300);
  expect(late.tickMs).toBe(USUAL_TICK_MS);
});

test("a quarter of the kernel's buffer asks for 5 ms, for 2 s after the last time", () => {
  const pace = new ReadPace(0, 0);
  pace.observe(46, SMALL, 10);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
  pace.observe(47, SMALL, 10);
  expect(pace.tickMs).toBe(5);
  pace.observe(1, SMALL, 2009);
  expect(pace.tickMs).toBe(5);
  pace.observe(1, SMALL, 2010);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
});

test("a high rate asks for 10 ms and keeps it while it lasts", () => {
  const pace = new ReadPace(0, 0);
  pace.observe(760, LARGE, 20);
  expect(pace.tickMs).toBe(10);
  for (let now = 30; now < 5000; now += 10) pace.observe(380, LARGE, now);
  expect(pace.tickMs).toBe(10);
  pace.observe(100, LARGE, 5000);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
});

test("an unknown buffer is taken for large enough", () => {
  const pace = new ReadPace(0, 0);
  pace.observe(399, 0, 1);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
});
