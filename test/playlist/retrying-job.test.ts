import { expect, test } from "bun:test";
import { describeRetry, type Retry, RetryingJob, scheduleTimeout } from "../../src/playlist/retrying-job.ts";
import { until } from "../fakes/until.ts";
import { ManualClock } from "./manual-clock.ts";

const LIMIT_MS = 2000;

class Parent {
  readonly signals: AbortSignal[] = [];
  readonly failures: (Retry | undefined)[] = [];
  work: (signal: AbortSignal) => Promise<void> = () => Promise.reject(new Error("no"));

  attempt(signal: AbortSignal): Promise<void> {
    this.signals.push(signal);
    return this.work(signal);
  }

  failed(_: Error, retry: Retry | undefined): void {
    this.failures.push(retry);
  }
}

function make() {
  const clock = new ManualClock();
  const parent = new Parent();
  return { clock, parent, job: new RetryingJob(parent, clock.schedule) };
}

test("retries eight times, with pauses that double, and then waits to be started", async () => {
  const { clock, parent, job } = make();
  expect(await job.start()).toBe(false);
  for (const [i, pause] of [2, 4, 8, 16, 32, 64, 128, 256].entries()) {
    expect(clock.waiting).toEqual([pause * 1000]);
    clock.fire();
    await until(() => parent.failures.length === i + 2, LIMIT_MS, "the retry to fail");
  }
  expect(clock.waiting).toEqual([]);
  expect(parent.failures.map((retry) => retry?.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, undefined]);
  expect(await job.start()).toBe(false);
  expect(parent.failures.at(-1)).toEqual({ inS: 2, number: 1, of: 8 });
});

test("a success ends the retries", async () => {
  const { clock, parent, job } = make();
  await job.start();
  parent.work = () => Promise.resolve();
  clock.fire();
  await until(() => parent.signals.length === 2, LIMIT_MS, "the retry");
  await Bun.sleep(0);
  expect([clock.waiting, parent.failures.length]).toEqual([[], 1]);
  expect(await job.start()).toBe(true);
});

test("a new start breaks off the attempt that runs, and cancels the one that waits", async () => {
  const { clock, parent, job } = make();
  parent.work = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const first = job.start();
  parent.work = () => Promise.reject(new Error("no"));
  expect(await Promise.all([first, job.start()])).toEqual([false, false]);
  expect(parent.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  expect(parent.failures).toHaveLength(1);
  expect(clock.waiting).toEqual([2000]);
  await job.start();
  expect(clock.waiting).toEqual([2000]);
});

test("close leaves nothing", async () => {
  const { clock, parent, job } = make();
  await job.start();
  job.close();
  expect(clock.waiting).toEqual([]);
  expect(await job.start()).toBe(false);
  expect(parent.signals).toHaveLength(1);
});

test("what is done too late counts for nothing", async () => {
  const { parent, job } = make();
  const { promise, resolve } = Promise.withResolvers<void>();
  parent.work = () => promise;
  const started = job.start();
  job.close();
  resolve();
  expect(await started).toBe(false);
});

test("a delay beyond what a timer can hold does not fire at once", async () => {
  let fired = false;
  const cancel = scheduleTimeout(() => {
    fired = true;
  }, 1e12);
  await new Promise<void>((resolve) => scheduleTimeout(resolve, 20));
  cancel();
  expect(fired).toBe(false);
});

test("the log line of a retry", () => {
  expect(describeRetry({ inS: 4, number: 2, of: 8 })).toBe("will retry in 4 seconds (retry 2/8)");
  expect(describeRetry(undefined)).toContain("will not retry");
});
