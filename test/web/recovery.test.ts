/** What keeps playback going: retries and the live edge. */
import { describe, expect, test } from "bun:test";
import { LiveSync } from "../../src/web/player/live-sync.ts";
import { RetryPolicy } from "../../src/web/player/retry-policy.ts";

const MAX_DECODE_FAILURES = 5;
const MAX_RETRIES = 3;
const MAX_TOLERANCE_S = 6;
const CATCH_UP_RATE = 1.2;
const TARGET_LATENCY_S = 1.5;
const MAX_LATENCY_S = 3;

describe("RetryPolicy", () => {
  const actions = (policy: RetryPolicy, source: number, sources: number, isDecode: boolean, times: number) =>
    Array.from({ length: times }, () => policy.afterFailure(source, sources, isDecode).action);

  test("three tries with growing pauses, then each other source, then the end", () => {
    const policy = new RetryPolicy();
    const delays = Array.from({ length: MAX_RETRIES }, () => {
      const step = policy.afterFailure(1, 2, false);
      return step.action === "retry" ? step.delayMs : undefined;
    });
    expect(delays).toEqual([500, 1000, 2000]);
    expect(policy.retries).toBe(MAX_RETRIES);
    expect(policy.afterFailure(1, 2, false).action).toBe("next-source");
    expect(actions(policy, 0, 2, false, MAX_RETRIES)).toEqual(Array(MAX_RETRIES).fill("retry"));
    expect(policy.afterFailure(0, 2, false).action).toBe("give-up");
  });

  test("decoders that fail cost no try, but do not go on for ever", () => {
    const policy = new RetryPolicy();
    expect(actions(policy, 0, 1, true, MAX_DECODE_FAILURES)).toEqual(Array(MAX_DECODE_FAILURES).fill("retry"));
    expect(policy.retries).toBe(0);
    expect(actions(policy, 0, 1, true, 1)).toEqual(["give-up"]);
  });

  test("stable playback gives all tries back", () => {
    const policy = new RetryPolicy();
    actions(policy, 0, 1, false, MAX_RETRIES);
    policy.reset();
    expect(actions(policy, 0, 1, false, MAX_RETRIES + 1)).toEqual([...Array(MAX_RETRIES).fill("retry"), "give-up"]);
  });
});

describe("LiveSync", () => {
  test("plays faster from 3 s down to 1.5 s", () => {
    const sync = new LiveSync();
    expect([1, 2.9, 3.1, 2, 1.6, TARGET_LATENCY_S, 2.9].map((latency) => sync.rate(latency))).toEqual([
      1,
      1,
      CATCH_UP_RATE,
      CATCH_UP_RATE,
      CATCH_UP_RATE,
      1,
      1,
    ]);
  });

  test("each underrun tolerates a second more, within a limit, until playback is stable", () => {
    const sync = new LiveSync();
    sync.underrun();
    expect([MAX_LATENCY_S + 0.9, MAX_LATENCY_S + 1.1].map((latency) => sync.rate(latency))).toEqual([1, CATCH_UP_RATE]);
    for (let i = 0; i < 20; i++) sync.underrun();
    expect(sync.rate(MAX_LATENCY_S + MAX_TOLERANCE_S)).toBe(1);
    expect(sync.rate(MAX_LATENCY_S + MAX_TOLERANCE_S + 0.1)).toBe(CATCH_UP_RATE);
    sync.recovered();
    sync.rate(0);
    expect(sync.rate(MAX_LATENCY_S + 0.1)).toBe(CATCH_UP_RATE);
  });
});
