/** What the results of bench.py say about one target: its cost in each scenario, and as multiples of the others' costs. */

/** One run in the JSON of `bench.py --out`, as far as it is read here. */
export interface Run {
  /** The run gave no measurement. */
  readonly error?: string;
  readonly cpu_s_per_gb?: number;
  /** Of zap scenarios, in place of the above. */
  readonly cpu_ms_per_zap?: number;
  /** TS packets. */
  readonly lost?: number;
  readonly corrupt?: number;
  /** Clients, or zaps. */
  readonly no_data?: number;
}

/** Scenario → target → its runs. */
export type Results = Readonly<Record<string, Readonly<Record<string, readonly Run[]>>>>;

type Unit = "s/GB" | "ms/zap";

export interface Summary {
  readonly scenario: string;
  /** Median of the runs; undefined when none succeeded. */
  readonly cost: number | undefined;
  readonly unit: Unit;
  /** Our cost divided by that of each other target, in the order in which they were named. */
  readonly multiples: readonly (number | undefined)[];
  /** What was not as it should be, in words; empty when all was. */
  readonly faults: string;
}

const FRACTION_DIGITS = 2;
const COST_DIGITS = 3;
const MISSING = "–";

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function costOf(runs: readonly Run[]): number | undefined {
  return median(runs.flatMap((run) => run.cpu_ms_per_zap ?? run.cpu_s_per_gb ?? []));
}

function faultsOf(runs: readonly Run[]): string {
  const total = (key: "lost" | "corrupt" | "no_data") => runs.reduce((sum, run) => sum + (run[key] ?? 0), 0);
  const counts = [
    [runs.filter(({ error }) => error !== undefined).length, "failed"],
    [total("lost"), "lost"],
    [total("corrupt"), "corrupt"],
    [total("no_data"), "without data"],
  ] as const;
  return counts.flatMap(([count, what]) => (count > 0 ? `${count} ${what}` : [])).join(", ");
}

/** Leaves out scenarios that `ours` has no part in. */
export function summarize(results: Results, ours: string, others: readonly string[]): Summary[] {
  return Object.entries(results).flatMap(([scenario, byTarget]) => {
    const runs = byTarget[ours];
    if (!runs) return [];
    const cost = costOf(runs);
    const multiples = others.map((other) => {
      const theirs = costOf(byTarget[other] ?? []);
      return cost === undefined || !theirs ? undefined : cost / theirs;
    });
    const unit: Unit = runs.some((run) => run.cpu_ms_per_zap !== undefined) ? "ms/zap" : "s/GB";
    return [{ scenario, cost, unit, multiples, faults: faultsOf(runs) }];
  });
}

/** A table in Markdown, its columns aligned. */
export function formatSummary(summaries: readonly Summary[], ours: string, others: readonly string[]): string {
  const head = ["scenario", `CPU of ${ours}`, "", ...others.map((other) => `x ${other}`), "faults"];
  const rows = summaries.map(({ scenario, cost, unit, multiples, faults }) => [
    scenario,
    cost?.toFixed(COST_DIGITS) ?? MISSING,
    unit,
    ...multiples.map((multiple) => multiple?.toFixed(FRACTION_DIGITS) ?? MISSING),
    faults,
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
