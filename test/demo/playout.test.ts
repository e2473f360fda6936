import { expect, test } from "bun:test";
import { loadClip, RTSP_CHANNEL } from "../../src/demo/channels.ts";
import { Playout } from "../../src/demo/playout.ts";

const clip = await loadClip(RTSP_CHANNEL);
const BEAT_MS = 10;

/** Notes the numbers of what it gets. */
class Recorder {
  isReady = true;
  ends = 0;
  readonly numbers: number[] = [];

  take(datagram: Uint8Array): void {
    this.numbers.push((datagram[2]! << 8) | datagram[3]!);
  }

  ended(): void {
    this.ends++;
  }
}

test("plays from the start to the end, and then no more", () => {
  const receiver = new Recorder();
  const playout = new Playout(clip, { startMs: 5000, endMs: 6000 }, receiver, 0);
  for (let now = 0; now < 1000; now += BEAT_MS) playout.tick(now);
  expect(receiver.ends).toBe(0);
  for (let now = 1000; now < 2000; now += BEAT_MS) playout.tick(now);
  expect(receiver.ends).toBe(1);
  const count = receiver.numbers.length;
  const whole = new Recorder();
  const endless = new Playout(clip, { startMs: 5000, endMs: undefined }, whole, 0);
  for (let now = 0; now <= 1000; now += BEAT_MS) endless.tick(now);
  expect(count).toBe(whole.numbers.length);
});

test("waits for a receiver that is not ready, and leaves nothing out", () => {
  const receiver = new Recorder();
  const playout = new Playout(clip, { startMs: 5000, endMs: undefined }, receiver, 0);
  for (let now = 0; now <= 1000; now += BEAT_MS) playout.tick(now);
  const before = receiver.numbers.length;
  receiver.isReady = false;
  for (let now = 1000; now <= 60_000; now += BEAT_MS) playout.tick(now);
  expect(receiver.numbers.length).toBe(before);
  receiver.isReady = true;
  for (let now = 60_000; now <= 61_000; now += BEAT_MS) playout.tick(now);
  const [first = 0] = receiver.numbers;
  expect(receiver.numbers).toEqual(receiver.numbers.map((_, i) => (first + i) & 0xffff));
  // What was not wanted meanwhile comes later, not all at once.
  expect(receiver.numbers.length).toBeWithin(before + 1, before * 2.6);
});
