import { expect, test } from "bun:test";
import { USUAL_TICK_MS } from "../../../src/relay/tick.ts";
import { PollInterval } from "../../../src/upstream/rtp/poll-interval.ts";

const LARGE = 8 * 1024 * 1024;
/** What an unprivileged process gets on most systems. */
const SMALL = 425_984;
/** RTP datagrams a millisecond at 40 Mbit/s. */
const AT_40_MBIT = 3.8;

/** Reads at the pace that is asked for, from `from` to `to` in ms. */
function read(pace: PollInterval, perMs: number, receiveBuffer: number, from: number, to: number): number[] {
  const ticks: number[] = [];
  for (let now = from + pace.tickMs; now < to; now += pace.tickMs) {
    pace.observe(Math.round(perMs * pace.tickMs), receiveBuffer, now);
    ticks.push(pace.tickMs);
  }
  return ticks;
}

test("is quick until the first picture, or until the time for it is over", () => {
  const settled = new PollInterval(0, 300);
  expect(settled.tickMs).toBe(2);
  settled.observe(0, LARGE, 299);
  expect(settled.tickMs).toBe(2);
  settled.settle();
  expect(settled.tickMs).toBe(USUAL_TICK_MS);

  const late = new PollInterval(0, 300);
  late.observe(0, LARGE, 300);
  expect(late.tickMs).toBe(USUAL_TICK_MS);
});

test("usual rates with a large buffer are read at the usual pace", () => {
  const pace = new PollInterval(0, 0);
  pace.observe(0, LARGE, 0);
  expect(new Set(read(pace, AT_40_MBIT, LARGE, 0, 3000))).toEqual(new Set([USUAL_TICK_MS]));
});

test("a rate that would fill a quarter of the kernel's buffer is read every 5 ms, and 2 s longer", () => {
  const pace = new PollInterval(0, 0);
  pace.observe(0, SMALL, 0);
  expect(read(pace, 2 * AT_40_MBIT, SMALL, 0, 3000)).toEqual(expect.arrayContaining([5]));
  expect(pace.tickMs).toBe(5);
  pace.observe(1, SMALL, 4900);
  expect(pace.tickMs).toBe(5);
  pace.observe(1, SMALL, 5100);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
});

test("400 Mbit/s are read every 10 ms, steadily", () => {
  const pace = new PollInterval(0, 0);
  pace.observe(0, LARGE, 0);
  expect(new Set(read(pace, 10 * AT_40_MBIT, LARGE, 0, 10_000))).toEqual(new Set([10]));
});

test("an unknown buffer is taken for large enough", () => {
  const pace = new PollInterval(0, 0);
  pace.observe(0, 0, 0);
  pace.observe(399, 0, 25);
  expect(pace.tickMs).toBe(USUAL_TICK_MS);
});
