import { afterEach, expect, test } from "bun:test";
import { Tick, type Ticking, USUAL_TICK_MS } from "../../src/relay/tick.ts";
import { until } from "../fakes/until.ts";

const LIMIT_MS = 2000;
const QUICK_TICK_MS = 2;
/** Between the two paces; a loaded machine makes some beats late, so each pace is awaited. */
const BETWEEN_MS = 10;

class Member implements Ticking {
  tickMs = USUAL_TICK_MS;
  readonly beats: number[] = [];
  onTick: (() => void) | undefined;

  tick(now: number): void {
    this.beats.push(now);
    this.onTick?.();
  }

  /** Mean time between the next `count` beats, in ms. */
  async pace(count: number): Promise<number> {
    const first = this.beats.length;
    await until(() => this.beats.length > first + count, LIMIT_MS, `${count} beats`);
    return (this.beats[first + count]! - this.beats[first]!) / count;
  }
}

const tick = new Tick();
const members = [new Member(), new Member(), new Member()] as const;

afterEach(() => {
  for (const member of members) {
    tick.remove(member);
    member.tickMs = USUAL_TICK_MS;
    member.onTick = undefined;
  }
});

test("runs only while it has members", async () => {
  const [a, b] = members;
  expect(tick.isRunning).toBe(false);
  tick.add(a);
  tick.add(b);
  await until(() => a.beats.length > 2 && b.beats.length > 2, LIMIT_MS, "both to beat");
  tick.remove(a);
  tick.remove(a);
  const beats = a.beats.length;
  await b.pace(3);
  expect([a.beats.length, tick.isRunning]).toEqual([beats, true]);
  tick.remove(b);
  expect(tick.isRunning).toBe(false);
  tick.add(a);
  await until(() => a.beats.length > beats, LIMIT_MS, "a beat after the pause");
});

test("hands on a clock that goes forward", async () => {
  const [a] = members;
  const before = performance.now();
  tick.add(a);
  const first = a.beats.length;
  await a.pace(3);
  const beats = a.beats.slice(first);
  expect(beats).toEqual([...beats].sort((x, y) => x - y));
  expect(beats[0]!).toBeWithin(before, performance.now());
});

test("is quicker while a member wants it", async () => {
  const [a, b] = members;
  tick.add(a);
  await until(async () => (await a.pace(5)) > BETWEEN_MS, LIMIT_MS, "the usual pace");
  b.tickMs = QUICK_TICK_MS;
  tick.add(b);
  await until(async () => (await b.pace(5)) < BETWEEN_MS, LIMIT_MS, "the quicker pace");
  b.tickMs = USUAL_TICK_MS;
  await until(async () => (await b.pace(5)) > BETWEEN_MS, LIMIT_MS, "the usual pace again");
});

test("stays quick when a member that does not want it comes in between", async () => {
  const [a, b] = members;
  a.tickMs = QUICK_TICK_MS;
  tick.add(a);
  tick.add(b);
  await until(async () => (await b.pace(5)) < BETWEEN_MS, LIMIT_MS, "the quicker pace");
});

test("members may come and go within a beat", async () => {
  const [a, b, c] = members;
  tick.add(a);
  tick.add(b);
  const before = b.beats.length;
  a.onTick = () => {
    tick.remove(b);
    tick.add(c);
    a.onTick = undefined;
  };
  await c.pace(2);
  expect(b.beats.length).toBe(before);
  const last = c.beats.length;
  c.onTick = () => {
    tick.remove(a);
    tick.remove(c);
  };
  await until(() => !tick.isRunning, LIMIT_MS, "the tick to stop");
  expect(c.beats.length).toBe(last + 1);
});

test("a member that asks for no time at all gets the shortest beat", async () => {
  const [a] = members;
  a.tickMs = 0;
  tick.add(a);
  expect(tick.isRunning).toBe(true);
  await a.pace(3);
});
