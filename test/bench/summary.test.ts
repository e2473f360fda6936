import { describe, expect, test } from "bun:test";
import { formatSummary, type Results, summarize } from "./summary.ts";

const run = (cost: number) => ({ cpu_s_per_gb: cost, lost: 0, corrupt: 0, no_data: 0 });
const zaps = (cost: number) => ({ cpu_ms_per_zap: cost, lost: 0, corrupt: 0, no_data: 0 });

describe("summarize", () => {
  test("divides medians", () => {
    const results: Results = { same8: { ours: [run(9), run(1), run(3)], floor: [run(2)], send: [run(1), run(2)] } };
    expect(summarize(results, "ours", ["floor", "send"])).toEqual([
      { scenario: "same8", cost: 3, unit: "s/GB", multiples: [1.5, 2], faults: "" },
    ]);
  });

  test("takes the cost of a zap where there is one", () => {
    const results: Results = { zap: { ours: [{ ...zaps(4), cpu_s_per_gb: 77 }], floor: [zaps(1)] } };
    expect(summarize(results, "ours", ["floor"])).toEqual([
      { scenario: "zap", cost: 4, unit: "ms/zap", multiples: [4], faults: "" },
    ]);
  });

  test("has no ratio to a target that took no part, failed, or cost nothing", () => {
    const results: Results = { a: { ours: [run(1)], failed: [{ error: "ended" }], free: [run(0)] } };
    expect(summarize(results, "ours", ["absent", "failed", "free"])[0]?.multiples).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("has no cost when every run failed, and counts faults over all runs", () => {
    const results: Results = {
      a: { ours: [{ error: "not ready" }, { error: "not ready" }], floor: [run(1)] },
      b: {
        ours: [
          { cpu_s_per_gb: 1, lost: 3, corrupt: 0, no_data: 2 },
          { ...run(1), lost: 4, corrupt: 1 },
        ],
      },
    };
    expect(summarize(results, "ours", ["floor"])).toEqual([
      { scenario: "a", cost: undefined, unit: "s/GB", multiples: [undefined], faults: "2 failed" },
      { scenario: "b", cost: 1, unit: "s/GB", multiples: [undefined], faults: "7 lost, 1 corrupt, 2 without data" },
    ]);
  });

  test("leaves out what we took no part in", () => {
    expect(summarize({ a: { floor: [run(1)] } }, "ours", ["floor"])).toEqual([]);
  });
});

test("formatSummary aligns its columns", () => {
  const summaries = [
    { scenario: "same8", cost: 0.5, unit: "s/GB", multiples: [1.25, undefined], faults: "" },
    { scenario: "zap", cost: undefined, unit: "ms/zap", multiples: [10, 2], faults: "3 failed" },
  ] as const;
  expect(formatSummary(summaries, "ours", ["floor", "send"])).toBe(
    [
      "| scenario | CPU of ours |        | x floor | x send | faults   |",
      "| -------- | ----------- | ------ | ------- | ------ | -------- |",
      "| same8    | 0.500       | s/GB   | 1.25    | –      |          |",
      "| zap      | –           | ms/zap | 10.00   | 2.00   | 3 failed |",
    ].join("\n"),
  );
});
