import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LogRing } from "../../src/status/log-ring.ts";
import { LOG_DEBUG, LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN } from "../../src/system/log.ts";
import type { LogEntry } from "../../src/wire/status/event.ts";

const LOG_RING_ENTRIES = 100;

/** Appends lines whose texts are these numbers. */
function append(ring: LogRing, ...numbers: number[]): void {
  for (const number of numbers) ring.append({ level: LOG_INFO, time: number, text: String(number) });
}

function numbers(logs: readonly LogEntry[]): number[] {
  return logs.map(({ message }) => Number(message));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

test("a line becomes an entry with the members of the payload", () => {
  const ring = new LogRing();
  for (const level of [LOG_FATAL, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG] as const) {
    ring.append({ level, time: 1_782_389_412_123, text: "[Worker 0] Hello\n" });
  }
  const rest = { timestamp: 1_782_389_412_123, message: "[Worker 0] Hello\n" };
  expect(ring.read(0).logs).toEqual([
    { ...rest, level: 0, levelName: "FATAL" },
    { ...rest, level: 1, levelName: "ERROR" },
    { ...rest, level: 2, levelName: "WARN" },
    { ...rest, level: 3, levelName: "INFO" },
    { ...rest, level: 4, levelName: "DEBUG" },
  ]);
});

describe("a reader", () => {
  test("gets all, then the new ones, then nothing", () => {
    const ring = new LogRing();
    expect(ring.read(0)).toMatchObject({ logsMode: "full", logs: [] });
    append(ring, 1, 2);
    const first = ring.read(0);
    expect(first.logsMode).toBe("full");
    expect(numbers(first.logs)).toEqual([1, 2]);
    append(ring, 3);
    const second = ring.read(first.cursor);
    expect(second.logsMode).toBe("incremental");
    expect(numbers(second.logs)).toEqual([3]);
    expect(ring.read(second.cursor)).toEqual({ logsMode: "none", logs: [], cursor: second.cursor });
  });

  test("has a cursor of its own", () => {
    const ring = new LogRing();
    const early = ring.read(0).cursor;
    append(ring, 1);
    const late = ring.read(0).cursor;
    append(ring, 2);
    expect(numbers(ring.read(early).logs)).toEqual([1, 2]);
    expect(numbers(ring.read(late).logs)).toEqual([2]);
  });

  test.each([
    [LOG_RING_ENTRIES, "incremental"],
    [LOG_RING_ENTRIES + 1, "full"],
    [5 * LOG_RING_ENTRIES, "full"],
  ] as const)("that is %i entries behind gets an %s reading", (behind, logsMode) => {
    const ring = new LogRing();
    append(ring, ...range(0, 250));
    const { cursor } = ring.read(0);
    append(ring, ...range(250, 250 + behind));
    const reading = ring.read(cursor);
    expect(reading.logsMode).toBe(logsMode);
    expect(numbers(reading.logs)).toEqual(range(250 + behind - LOG_RING_ENTRIES, 250 + behind));
  });
});

describe("clearing", () => {
  test("gives everybody a full reading, even an empty one", () => {
    const ring = new LogRing();
    const early = ring.read(0).cursor;
    append(ring, 1, 2);
    const late = ring.read(0).cursor;
    ring.clear();
    for (const cursor of [early, late]) expect(ring.read(cursor)).toMatchObject({ logsMode: "full", logs: [] });
    const { cursor } = ring.read(late);
    expect(ring.read(cursor).logsMode).toBe("none");
    append(ring, 3);
    expect(numbers(ring.read(cursor).logs)).toEqual([3]);
    expect(ring.read(late)).toMatchObject({ logsMode: "full", logs: [{ message: "3" }] });
  });

  test("an empty ring counts, too", () => {
    const ring = new LogRing();
    const { cursor } = ring.read(0);
    ring.clear();
    expect(ring.read(cursor).logsMode).toBe("full");
  });
});

test("a reader who obeys the modes has what the ring has, whenever he reads", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.nat(LOG_RING_ENTRIES * 2).map((count) => ({ name: "append" as const, count })) },
    { weight: 1, arbitrary: fc.constant({ name: "clear" as const, count: 0 }) },
    { weight: 4, arbitrary: fc.constant({ name: "read" as const, count: 0 }) },
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const ring = new LogRing();
      let total = 0;
      let kept: number[] = [];
      let seen: number[] = [];
      let cursor = 0;
      for (const { name, count } of [...steps, { name: "read" as const, count: 0 }]) {
        if (name === "append") {
          append(ring, ...range(total, total + count));
          kept = [...kept, ...range(total, total + count)].slice(-LOG_RING_ENTRIES);
          total += count;
        } else if (name === "clear") {
          ring.clear();
          kept = [];
        } else {
          const reading = ring.read(cursor);
          cursor = reading.cursor;
          seen = reading.logsMode === "full" ? numbers(reading.logs) : [...seen, ...numbers(reading.logs)];
          expect(seen.slice(-LOG_RING_ENTRIES)).toEqual(kept);
        }
      }
    }),
  );
});
