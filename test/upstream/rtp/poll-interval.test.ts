import { expect, test } from "bun:test";
import { USUAL_TICK_MS } from "../../../src/relay/tick.ts";
import { PollInterval } from "../../../src/upstream/rtp/poll-interval.ts";

const LARGE = 8 * 1024 * 1024;
/** What an unprivileged process gets on most systems. */
const SMALL = 425_984;
/** RTP datagrams a millisecond at 40 Mbit/s. */
const AT_40_MBIT = 3.8;

/** Reads at the interval that is asked for, from `from` to `to` in ms. */
function read(interval: PollInterval, perMs: number, receiveBuffer: number, from: number, to: number): number[] {
  const ticks: number[] = [];
  for (let now = from + interval.tickMs; now < to; now += interval.tickMs) {
    interval.observe(Math.round(perMs * interval.tickMs), receiveBuffer, now);
    ticks.push(interval.tickMs);
  }
  return ticks;
}

test("is quick until the first picture, or until the time for it is over", () => {
  const ended = new PollInterval(0, 300);
  expect(ended.tickMs).toBe(5);
  ended.observe(0, LARGE, 299);
  expect(ended.tickMs).toBe(5);
  ended.endStartup();
  expect(ended.tickMs).toBe(USUAL_TICK_MS);

  const late = new PollInterval(0, 300);
  late.observe(0, LARGE, 300);
  expect(late.tickMs).toBe(USUAL_TICK_MS);
});

test("usual rates with a large buffer are read at the usual interval", () => {
  const interval = new PollInterval(0, 0);
  interval.observe(0, LARGE, 0);
  expect(new Set(read(interval, AT_40_MBIT, LARGE, 0, 3000))).toEqual(new Set([USUAL_TICK_MS]));
});

test("a low rate is read less often, once it is known, and a burst brings the usual interval back for 2 s", () => {
  const interval = new PollInterval(0, 0);
  interval.observe(0, LARGE, 0);
  expect(interval.tickMs).toBe(USUAL_TICK_MS);
  expect(new Set(read(interval, AT_40_MBIT / 5, LARGE, 0, 3000))).toEqual(new Set([45]));
  interval.observe(0, LARGE, 3000);
  expect(interval.tickMs).toBe(45);
  interval.observe(150, LARGE, 3050);
  expect(interval.tickMs).toBe(USUAL_TICK_MS);
  interval.observe(20, LARGE, 5000);
  expect(interval.tickMs).toBe(USUAL_TICK_MS);
  interval.observe(20, LARGE, 5100);
  expect(interval.tickMs).toBe(45);
});

test("a rate that would fill a quarter of the kernel's buffer is read every 5 ms, and 2 s longer", () => {
  const interval = new PollInterval(0, 0);
  interval.observe(0, SMALL, 0);
  expect(read(interval, 2 * AT_40_MBIT, SMALL, 0, 3000)).toEqual(expect.arrayContaining([5]));
  expect(interval.tickMs).toBe(5);
  interval.observe(1, SMALL, 4900);
  expect(interval.tickMs).toBe(5);
  interval.observe(1, SMALL, 5100);
  expect(interval.tickMs).toBe(45);
});

test("400 Mbit/s are read every 10 ms, steadily", () => {
  const interval = new PollInterval(0, 0);
  interval.observe(0, LARGE, 0);
  expect(new Set(read(interval, 10 * AT_40_MBIT, LARGE, 0, 10_000))).toEqual(new Set([10]));
});

test("an unknown buffer is taken for large enough", () => {
  const interval = new PollInterval(0, 0);
  interval.observe(0, 0, 0);
  interval.observe(399, 0, 25);
  expect(interval.tickMs).toBe(USUAL_TICK_MS);
});
