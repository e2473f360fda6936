import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { LogRing } from "../../src/status/log-ring.ts";
import { NO_POOL, type WorkerReport } from "../../src/status/snapshot.ts";
import { WorkerTotals } from "../../src/status/totals.ts";
import { StatusAggregator, type StatusBoardParent } from "../../src/supervisor/status-aggregator.ts";
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
type Event = Extract<Told, { kind: "status-event" }>;

class Parent implements StatusBoardParent {
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

  get events(): Event[] {
    return this.told.filter((message) => message.kind === "status-event");
  }

  /** The payload of the newest event, without the log. */
  get payload() {
    return JSON.parse(`${this.events.at(-1)!.payloadStart}}`);
  }
}

let parent: Parent;
let ring: LogRing;
let board: StatusAggregator;
let totals: Float64Array;

beforeEach(() => {
  parent = new Parent();
  ring = new LogRing();
  totals = new Float64Array(WorkerTotals.size(3));
  for (const worker of [0, 1, 2]) new WorkerTotals(totals, worker).add("bytesSent", 2 ** worker);
  board = new StatusAggregator(parent, ring, totals);
});
afterEach(() => board.stop());

function log(text: string): void {
  ring.append({ level: 3, time: 0, text });
}

/** Somebody watches through worker 0, and the first event is out. */
function watch(): void {
  board.watching(0, true);
  for (const worker of [0, 1]) board.reported(worker, REPORT);
  expect(parent.events).toHaveLength(1);
}

describe("when nobody watches", () => {
  test("nobody is asked or told anything", () => {
    log("line");
    board.changed();
    board.ready(1);
    board.exited(1);
    board.reported(0, REPORT);
    expect(parent.told).toEqual([]);
    expect(ring.onChanged).toBeUndefined();
  });

  test("any more, all workers rest", async () => {
    watch();
    board.watching(0, false);
    expect(parent.told.slice(-2)).toEqual([
      { kind: "status-rest", worker: 0 },
      { kind: "status-rest", worker: 1 },
    ]);
    expect(ring.onChanged).toBeUndefined();
    const told = parent.told.length;
    log("line");
    board.changed();
    // Longer than the board ever waits for a report.
    await Bun.sleep(150);
    expect(parent.told).toHaveLength(told);
  });
});

test("the first event comes when all workers have answered", () => {
  log("line");
  board.watching(0, true);
  expect(parent.told).toEqual([
    { kind: "status-ask", worker: 0 },
    { kind: "status-ask", worker: 1 },
  ]);
  board.reported(1, REPORT);
  board.changed();
  expect(parent.events).toEqual([]);
  board.reported(0, REPORT);
  expect(parent.events).toMatchObject([{ worker: 0, logs: { logsMode: "full", logs: [{ message: "line" }] } }]);
  expect(parent.payload).toMatchObject({
    totalBytesSent: 7,
    totals: { bytesSent: 7 },
    maxClients: 5,
    currentLogLevel: 3,
  });
  expect(parent.payload.workers).toMatchObject([
    { id: 0, pid: 10, totalBytes: 1, send: { total: 1 } },
    { id: 1, pid: 11, totalBytes: 2, send: { total: 1 } },
  ]);
});

test("a worker that does not answer is not waited for", async () => {
  board.watching(0, true);
  board.reported(0, REPORT);
  await until(() => parent.events.length === 1, WAIT_MS, "an event");
  expect(parent.payload.workers[1].send.total).toBe(0);
});

test("an event comes every second", async () => {
  watch();
  const firstAt = performance.now();
  await until(() => parent.count("status-ask") === 4, WAIT_MS, "the next questions");
  for (const worker of [0, 1]) board.reported(worker, REPORT);
  expect(parent.events).toHaveLength(2);
  expect(performance.now() - firstAt).toBeLessThan(1500);
  expect(parent.events[1]!.logs).toMatchObject({ logsMode: "none", logs: [] });
});

test("changes share an event, which comes soon", async () => {
  watch();
  const changedAt = performance.now();
  for (let i = 0; i < 50; i++) log(`${i}`);
  board.reported(1, REPORT);
  board.changed();
  await until(() => parent.events.length === 2, WAIT_MS, "an event");
  expect(performance.now() - changedAt).toBeLessThan(500);
  expect(parent.events[1]!.logs.logs).toHaveLength(50);
  ring.clear();
  await until(() => parent.events.length === 3, WAIT_MS, "an event");
  expect(parent.events[2]!.logs).toMatchObject({ logsMode: "full", logs: [] });
});

test("another worker's first reader gets what is there at once, with the whole log", () => {
  log("line");
  watch();
  board.watching(1, true);
  expect(parent.events).toHaveLength(3);
  expect(parent.events[1]).toMatchObject({ worker: 0, logs: { logsMode: "none" } });
  expect(parent.events[2]).toMatchObject({ worker: 1, logs: { logsMode: "full" } });
  expect(parent.count("status-ask")).toBe(2);
});

test("a worker that dies takes its clients and readers along, and is asked again when it is back", async () => {
  watch();
  board.watching(1, true);
  const told = parent.told.length;
  parent.workers[1]!.pid = 0;
  board.exited(1);
  await until(() => parent.told.length > told, WAIT_MS, "an event");
  expect(parent.told.slice(told).map(({ worker }) => worker)).toEqual([0]);
  expect(parent.payload.workers[1]).toMatchObject({ pid: 0, totalBytes: 2, send: { total: 0 } });
  board.ready(1);
  expect(parent.told.at(-1)).toEqual({ kind: "status-ask", worker: 1 });
  board.exited(0);
  expect(parent.told.at(-1)).toEqual({ kind: "status-rest", worker: 1 });
});
