import { expect, test } from "bun:test";
import { LagMark } from "../../src/relay/lag-mark.ts";

test("a client that lags for more than 3 s is slow, with short pauses too", () => {
  const mark = new LagMark();
  expect(mark.isSlow(0)).toBe(false);
  for (let now = 0; now <= 3000; now += 1000) mark.lags(now);
  expect(mark.isSlow(3000)).toBe(false);
  mark.lags(3001);
  expect(mark.isSlow(3001)).toBe(true);
  mark.lags(6001);
  expect(mark.isSlow(6001)).toBe(true);
});

test("it is so no more when it has not lagged for 3 s, and must then lag for as long again", () => {
  const mark = new LagMark();
  mark.lags(0);
  mark.lags(3000);
  mark.lags(3100);
  expect(mark.isSlow(6100)).toBe(true);
  expect(mark.isSlow(6101)).toBe(false);
  mark.lags(6101);
  expect(mark.isSlow(6101)).toBe(false);
  mark.lags(9101);
  expect(mark.isSlow(9101)).toBe(false);
  mark.lags(9102);
  expect(mark.isSlow(9102)).toBe(true);
});
