import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { LogRing } from "../../src/status/log-ring.ts";
import type { WorkerReport } from "../../src/status/snapshot.ts";
import { WorkerTotals } from "../../src/status/totals.ts";
import { StatusAggregator, type StatusAggregatorParent } from "../../src/supervisor/status-aggregator.ts";
import { NO_POOL } from "../../src/wire/status/event.ts";
import type { ToWorker } from "../../src/worker/messages.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 3000;
const REPORT: WorkerReport = {
  clients: [],
  upstreams: [],
  send: { total: 1, completions: 0, copied: 0, eagain: 0, enobufs: 0, batch: 0 },
  pool: NO_POOL,
};

type Told = ToWorker & { readonly worker: number };
type Snapshot = Extract<Told, { kind: "snapshot" }>;

class Parent implements StatusAggregatorParent {
  readonly logLevel = 3;
  readonly maxClients = 5;
  readonly workers = [
    { id: 0, pid: 10 },
    { id: 1, pid: 11 },
  ];
  readonly told: Told[] = [];

  tell(worker: number, message: ToWorker): void {
    this.told.push({ ...message, worker });
  }

  /** How often each worker was told so. */
  count(kind: ToWorker["kind"]): number {
    return this.told.filter((message) => message.kind === kind).length;
  }

  get snapshots(): Snapshot[] {
    return this.told.filter((message) => message.kind === "snapshot");
  }

  /** The newest one. */
  get snapshot() {
    return this.snapshots.at(-1)!.snapshot;
  }
}

let parent: Parent;
let ring: LogRing;
let status: StatusAggregator;
let totals: Float64Array;

beforeEach(() => {
  parent = new Parent();
  ring = new LogRing();
  totals = new Float64Array(WorkerTotals.size(3));
  for (const worker of [0, 1, 2]) new WorkerTotals(totals, worker).add("bytesSent", 2 ** worker);
  status = new StatusAggregator(parent, ring, totals);
});
afterEach(() => status.stop());

function log(text: string): void {
  ring.append({ level: 3, time: 0, text });
}

/** Somebody watches through worker 0, and the first snapshot is out. */
function watch(): void {
  status.watching(0, true);
  for (const worker of [0, 1]) status.reported(worker, REPORT);
  expect(parent.snapshots).toHaveLength(1);
}

describe("when nobody watches", () => {
  test("nobody is asked or told anything", () => {
    log("line");
    status.changed();
    status.ready(1);
    status.exited(1);
    status.reported(0, REPORT);
    expect(parent.told).toEqual([]);
    expect(ring.onChanged).toBeUndefined();
  });

  test("any more, all workers rest", async () => {
    watch();
    status.watching(0, false);
    expect(parent.told.slice(-2)).toEqual([
      { kind: "ask", isWatched: false, worker: 0 },
      { kind: "ask", isWatched: false, worker: 1 },
    ]);
    expect(ring.onChanged).toBeUndefined();
    const told = parent.told.length;
    log("line");
    status.changed();
    // Longer than a report is ever waited for.
    await Bun.sleep(150);
    expect(parent.told).toHaveLength(told);
  });
});

test("the first snapshot comes when all workers have answered", () => {
  log("line");
  status.watching(0, true);
  expect(parent.told).toEqual([
    { kind: "ask", isWatched: true, worker: 0 },
    { kind: "ask", isWatched: true, worker: 1 },
  ]);
  status.reported(1, REPORT);
  status.changed();
  expect(parent.snapshots).toEqual([]);
  status.reported(0, REPORT);
  expect(parent.snapshots).toMatchObject([{ worker: 0, logs: { logsMode: "full", logs: [{ message: "line" }] } }]);
  expect(parent.snapshot).toMatchObject({
    totals: { bytesSent: 7 },
    maxClients: 5,
    currentLogLevel: 3,
  });
  expect(parent.snapshot.workers).toMatchObject([
    { id: 0, pid: 10, totals: { bytesSent: 1 }, report: REPORT },
    { id: 1, pid: 11, totals: { bytesSent: 2 }, report: REPORT },
  ]);
});

test("a worker that does not answer is not waited for", async () => {
  status.watching(0, true);
  status.reported(0, REPORT);
  await until(() => parent.snapshots.length === 1, WAIT_MS, "a snapshot");
  expect(parent.snapshot.workers.map(({ report }) => report)).toEqual([REPORT, undefined]);
});

test("a snapshot comes every second", async () => {
  watch();
  const firstAt = performance.now();
  await until(() => parent.count("ask") === 4, WAIT_MS, "the next questions");
  for (const worker of [0, 1]) status.reported(worker, REPORT);
  expect(parent.snapshots).toHaveLength(2);
  expect(performance.now() - firstAt).toBeLessThan(1500);
  expect(parent.snapshots[1]!.logs).toMatchObject({ logsMode: "none", logs: [] });
});

test("changes share a snapshot, which comes soon", async () => {
  watch();
  const changedAt = performance.now();
  for (let i = 0; i < 50; i++) log(`${i}`);
  status.reported(1, REPORT);
  status.changed();
  await until(() => parent.snapshots.length === 2, WAIT_MS, "a snapshot");
  expect(performance.now() - changedAt).toBeLessThan(500);
  expect(parent.snapshots[1]!.logs.logs).toHaveLength(50);
  ring.clear();
  await until(() => parent.snapshots.length === 3, WAIT_MS, "a snapshot");
  expect(parent.snapshots[2]!.logs).toMatchObject({ logsMode: "full", logs: [] });
});

test("another worker's first reader gets what is there at once, with the whole log", () => {
  log("line");
  watch();
  status.watching(1, true);
  expect(parent.snapshots).toHaveLength(3);
  expect(parent.snapshots[1]).toMatchObject({ worker: 0, logs: { logsMode: "none" } });
  expect(parent.snapshots[2]).toMatchObject({ worker: 1, logs: { logsMode: "full" } });
  expect(parent.count("ask")).toBe(2);
});

test("a worker that dies takes its clients and readers along, and is asked again when it is back", async () => {
  watch();
  status.watching(1, true);
  const told = parent.told.length;
  parent.workers[1]!.pid = 0;
  status.exited(1);
  await until(() => parent.told.length > told, WAIT_MS, "a snapshot");
  expect(parent.told.slice(told).map(({ worker }) => worker)).toEqual([0]);
  expect(parent.snapshot.workers[1]).toMatchObject({ pid: 0, totals: { bytesSent: 2 }, report: undefined });
  status.ready(1);
  expect(parent.told.at(-1)).toEqual({ kind: "ask", isWatched: true, worker: 1 });
  status.exited(0);
  expect(parent.told.at(-1)).toEqual({ kind: "ask", isWatched: false, worker: 1 });
});
