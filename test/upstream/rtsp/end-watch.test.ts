/** When media counts as ended, although the connection stands. */
import { expect, test } from "bun:test";
import { EndWatch } from "../../../src/upstream/rtsp/end-watch.ts";

const MEDIA = { received: 1, saidGoodbye: false, isPaused: false };

test("silence ends it after 15 s, which begin anew with each datagram", () => {
  const watch = new EndWatch();
  expect(watch.observe(0, MEDIA)).toBeUndefined();
  expect(watch.observe(14_999, MEDIA)).toBeUndefined();
  expect(watch.observe(14_999, { ...MEDIA, received: 2 })).toBeUndefined();
  expect(watch.observe(29_998, { ...MEDIA, received: 2 })).toBeUndefined();
  expect(watch.observe(29_999, { ...MEDIA, received: 2 })).toBe("no media for 15 s");
});

test("what is not read is no silence", () => {
  const watch = new EndWatch();
  for (let now = 0; now < 60_000; now += 1000) {
    expect(watch.observe(now, { ...MEDIA, isPaused: true })).toBeUndefined();
  }
  expect(watch.observe(73_000, MEDIA)).toBeUndefined();
  expect(watch.observe(74_000, MEDIA)).toBeDefined();
});

test("a goodbye ends it a second after the last datagram", () => {
  const watch = new EndWatch();
  watch.observe(0, MEDIA);
  expect(watch.observe(999, { ...MEDIA, saidGoodbye: true })).toBeUndefined();
  expect(watch.observe(1000, { ...MEDIA, saidGoodbye: true })).toContain("BYE");
  expect(watch.observe(1001, { ...MEDIA, received: 2 })).toBeUndefined();
});
