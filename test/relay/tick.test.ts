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
  readonly failures: unknown[] = [];
  onTick: (() => void) | undefined;

  tick(now: number): void {
    this.beats.push(now);
    this.onTick?.();
  }

  failed(error: unknown): void {
    this.failures.push(error);
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

test("goes with each member's own pace, which may change", async () => {
  const [a] = members;
  tick.add(a);
  await until(async () => (await a.pace(5)) > BETWEEN_MS, LIMIT_MS, "the usual pace");
  a.tickMs = QUICK_TICK_MS;
  await until(async () => (await a.pace(5)) < BETWEEN_MS, LIMIT_MS, "the quicker pace");
  a.tickMs = USUAL_TICK_MS;
  await until(async () => (await a.pace(5)) > BETWEEN_MS, LIMIT_MS, "the usual pace again");
});

test("an eager member costs a calm one nothing", async () => {
  const [eager, calm, calmToo] = members;
  eager.tickMs = QUICK_TICK_MS;
  const before = members.map(({ beats }) => beats.length);
  const counts = () => members.map(({ beats }, i) => beats.length - before[i]!) as [number, number, number];
  for (const member of members) tick.add(member);
  await until(() => counts()[1] >= 6, LIMIT_MS, "the calm one's beats");
  const [quick, slow, slowToo] = counts();
  // A busy machine makes beats late and rarer, never more frequent.
  const elapsedMs = calm.beats.at(-1)! - calm.beats.at(-slow)!;
  expect((slow - 1) * USUAL_TICK_MS).toBeLessThanOrEqual(elapsedMs + USUAL_TICK_MS);
  expect(quick).toBeGreaterThanOrEqual(slow);
  // Whenever they came: those with the same pace beat together.
  expect(Math.abs(slow - slowToo)).toBeLessThanOrEqual(1);
  expect(calmToo.beats.slice(-slowToo + 1).every((at) => calm.beats.includes(at))).toBe(true);
});

test("a member that throws is told, and starves nobody", async () => {
  const [bad, other, another] = members;
  const fault = new Error("fault");
  bad.onTick = () => {
    throw fault;
  };
  const before = bad.failures.length;
  for (const member of members) tick.add(member);
  await Promise.all([other.pace(3), another.pace(3)]);
  expect(bad.failures.length).toBeGreaterThan(before + 1);
  expect(new Set(bad.failures)).toEqual(new Set([fault]));
  expect([other.failures, another.failures]).toEqual([[], []]);
  // It is closed then, as a rule.
  bad.failed = () => tick.remove(bad);
  const beats = bad.beats.length;
  await until(() => bad.beats.length > beats, LIMIT_MS, "its last beat");
  await other.pace(3);
  expect([bad.beats.length, tick.isRunning]).toEqual([beats + 1, true]);
});

test("beat lets a member tick at once, and nobody else", async () => {
  const [a, b] = members;
  tick.add(a);
  tick.add(b);
  const before = [a.beats.length, b.beats.length] as const;
  tick.beat(a);
  expect([a.beats.length, b.beats.length]).toEqual([before[0] + 1, before[1]]);
  tick.remove(a);
  tick.beat(a);
  expect(a.beats.length).toBe(before[0] + 1);
  await b.pace(2);
  expect(a.beats.length).toBe(before[0] + 1);
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
