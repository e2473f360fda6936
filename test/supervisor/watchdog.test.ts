import { expect, test } from "bun:test";
import { type Clock, Watchdog } from "../../src/supervisor/watchdog.ts";
import type { ProcessState } from "../../src/system/process-state.ts";

/** Workers that answer while they are not in `silent`, and a time that passes when the test says so. */
class World implements Clock {
  readonly silent = new Set<number>();
  readonly hung: string[] = [];
  readonly asked: string[] = [];
  state: ProcessState = { state: "S", cpuMs: 0 };
  readonly watchdog: Watchdog;
  timers = 0;
  #time = 0;
  #due: { at: number; callback: () => void } | undefined;

  constructor(...workers: number[]) {
    const parent = {
      ask: (worker: number) => {
        this.asked.push(`${worker} at ${this.#time}`);
        if (!this.silent.has(worker)) this.watchdog.answered(worker);
      },
      pidOf: (worker: number) => 100 + worker,
      hung: (worker: number, ms: number) => this.hung.push(`${worker} at ${this.#time} after ${ms}`),
    };
    this.watchdog = new Watchdog(parent, this);
    for (const worker of workers) this.watchdog.ready(worker);
  }

  now(): number {
    return this.#time;
  }

  in(ms: number, callback: () => void): () => void {
    this.timers++;
    const due = { at: this.#time + ms, callback };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = undefined;
    };
  }

  stateOf(): ProcessState {
    return this.state;
  }

  get isWaiting(): boolean {
    return this.#due !== undefined;
  }

  /** @param lateMs how late every timer is */
  pass(ms: number, lateMs = 0, cpuShare = 0): void {
    const end = this.#time + ms;
    while (this.#due && this.#due.at + lateMs <= end) {
      const { at, callback } = this.#due;
      this.#due = undefined;
      const elapsed = at + lateMs - this.#time;
      this.#time = at + lateMs;
      this.state = { ...this.state, cpuMs: this.state.cpuMs + elapsed * cpuShare };
      callback();
    }
    this.#time = end;
  }
}

test("a worker that answers is asked now and then, and costs no more", () => {
  const world = new World(0, 1);
  world.pass(6000);
  expect(world.asked.length).toBe(8);
  expect(world.timers).toBe(5);
  expect(world.hung).toEqual([]);
});

test("one that does not is found within 5 s, whenever it has begun to hang", () => {
  for (let begins = 0; begins <= 3000; begins += 100) {
    const world = new World(0, 1);
    world.pass(begins);
    world.silent.add(1);
    world.pass(4600);
    expect(world.hung).toEqual([expect.stringMatching(/^1 at \d+ after 3000$/)]);
    // The other is asked again, and so is the successor once it serves.
    world.silent.clear();
    world.watchdog.ready(1);
    world.asked.length = 0;
    world.pass(1500);
    expect(world.asked.map(([id]) => id)).toEqual(["0", "1"]);
  }
});

test("an answer that comes late is an answer", () => {
  const world = new World(0);
  world.silent.add(0);
  world.pass(1500 + 2900);
  world.watchdog.answered(0);
  world.pass(100 + 2900);
  world.watchdog.answered(0);
  expect(world.hung).toEqual([]);
});

test("looks that came late themselves prove nothing: the machine slept, or all of us were stopped", () => {
  const world = new World(0);
  world.silent.add(0);
  world.pass(60_000, 600);
  expect(world.hung).toEqual([]);
  world.pass(3600);
  expect(world.hung).toHaveLength(1);
});

test.each(["t", "D"])("a worker in state %s is waited for", (state) => {
  const world = new World(0);
  world.silent.add(0);
  world.state = { state, cpuMs: 0 };
  world.pass(60_000);
  expect(world.hung).toEqual([]);
  world.state = { state: "T", cpuMs: 0 };
  world.pass(3000);
  expect(world.hung).toHaveLength(1);
});

test("a worker that gets no CPU is waited for, one that burns it is not", () => {
  const starved = new World(0);
  starved.silent.add(0);
  starved.state = { state: "R", cpuMs: 0 };
  starved.pass(10_000, 0, 0.1);
  expect(starved.hung).toEqual([]);
  const looping = new World(0);
  looping.silent.add(0);
  looping.state = { state: "R", cpuMs: 50_000 };
  looping.pass(4600, 0, 0.9);
  expect(looping.hung).toHaveLength(1);
});

test("nothing is asked when nobody is there, nor after the end", () => {
  const world = new World(0);
  world.silent.add(0);
  world.pass(1600);
  world.watchdog.exited(0);
  world.pass(5000);
  expect(world.hung).toEqual([]);
  world.watchdog.stop();
  expect(world.isWaiting).toBe(false);
});
