/** Snapshots of all workers, put together while somebody watches; at other times this costs nothing (status.md sections 2, 3). */
import { PROGRAM_VERSION } from "../config/program.ts";
import type { LogRing } from "../status/log-ring.ts";
import type { ServiceSnapshot, WorkerReport, WorkerSnapshot } from "../status/snapshot.ts";
import { WorkerTotals } from "../status/totals.ts";
import type { LogLevel } from "../system/log.ts";
import type { ToWorker } from "../worker/messages.ts";

/** While somebody watches, a snapshot comes at least this often. */
const SNAPSHOT_INTERVAL_MS = 1000;
/** Changes that follow each other faster than this share a snapshot. */
const LEAST_INTERVAL_MS = 80;
/** How long a worker's report is waited for. */
const REPORT_TIMEOUT_MS = 80;

export interface StatusAggregatorParent {
  readonly logLevel: LogLevel;
  readonly maxClients: number;
  /** The configured workers; a pid is 0 while the worker is not running. */
  readonly workers: readonly { readonly id: number; readonly pid: number }[];
  /** Does nothing for a worker that is not running. */
  tell(worker: number, message: ToWorker): void;
}

export class StatusAggregator {
  readonly #parent: StatusAggregatorParent;
  readonly #logRing: LogRing;
  /** In the memory that the workers share. */
  readonly #totals: Float64Array;
  readonly #startedAt = performance.now();
  readonly #serverStartTime = Date.now();
  /** Workers through which somebody watches, with where they stand in the log. */
  readonly #watchers = new Map<number, { cursor: number }>();
  readonly #reports = new Map<number, { readonly report: WorkerReport; readonly at: number }>();
  /** Workers whose answer is still missing. */
  readonly #asked = new Set<number>();
  #beat: Timer | undefined;
  /** The next snapshot, if that is certain. */
  #timer: Timer | undefined;
  #publishedAt = Number.NEGATIVE_INFINITY;

  constructor(parent: StatusAggregatorParent, logRing: LogRing, totals: Float64Array) {
    this.#parent = parent;
    this.#logRing = logRing;
    this.#totals = totals;
  }

  /** A worker wants snapshots from now on, or none any more. */
  watching(worker: number, isWatching: boolean): void {
    if (!isWatching) {
      this.#lost(worker);
      return;
    }
    const isFirst = this.#watchers.size === 0;
    this.#watchers.set(worker, { cursor: 0 });
    if (isFirst) this.#start();
    // Else what is there is good enough for a first snapshot, unless one is due anyway.
    else if (this.#asked.size === 0) this.#publish();
  }

  reported(worker: number, report: WorkerReport): void {
    if (this.#watchers.size === 0) return;
    this.#reports.set(worker, { report, at: performance.now() });
    if (!this.#asked.delete(worker)) this.changed();
    else if (this.#asked.size === 0) this.#publish();
  }

  /** A worker runs. */
  ready(worker: number): void {
    if (this.#watchers.size > 0) this.#parent.tell(worker, { kind: "ask", isWatched: true });
  }

  /** A worker is gone, with its clients and those who watched through it. */
  exited(worker: number): void {
    this.#reports.delete(worker);
    const wasAwaited = this.#asked.delete(worker);
    this.#lost(worker);
    if (this.#watchers.size === 0) return;
    if (wasAwaited && this.#asked.size === 0) this.#publish();
    else this.changed();
  }

  /** Something is other than the last snapshot has said. */
  changed(): void {
    // With answers awaited, a snapshot comes when they are here.
    if (this.#watchers.size === 0 || this.#asked.size > 0 || this.#timer) return;
    const waitMs = this.#publishedAt + LEAST_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.#publish();
    else this.#publishIn(waitMs);
  }

  /** Ends every timer. */
  stop(): void {
    this.#watchers.clear();
    this.#rest();
  }

  #start(): void {
    this.#logRing.onChanged = () => this.changed();
    this.#beat = setInterval(() => this.#ask(), SNAPSHOT_INTERVAL_MS);
    this.#ask();
  }

  #lost(worker: number): void {
    if (this.#watchers.delete(worker) && this.#watchers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#logRing.onChanged = undefined;
    clearInterval(this.#beat);
    clearTimeout(this.#timer);
    this.#beat = this.#timer = undefined;
    this.#asked.clear();
    this.#reports.clear();
    for (const { id } of this.#parent.workers) this.#parent.tell(id, { kind: "ask", isWatched: false });
  }

  /** Asks all workers; the snapshot comes with the last answer, or soon without it. */
  #ask(): void {
    this.#asked.clear();
    for (const { id, pid } of this.#parent.workers) if (pid !== 0) this.#asked.add(id);
    this.#publishIn(REPORT_TIMEOUT_MS);
    for (const id of [...this.#asked]) this.#parent.tell(id, { kind: "ask", isWatched: true });
  }

  #publishIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#publish(), ms);
  }

  #publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asked.clear();
    this.#publishedAt = performance.now();
    const snapshot = this.#snapshot(this.#publishedAt);
    for (const [worker, watcher] of this.#watchers) {
      const logs = this.#logRing.read(watcher.cursor);
      watcher.cursor = logs.cursor;
      this.#parent.tell(worker, { kind: "snapshot", snapshot, logs });
    }
  }

  #snapshot(now: number): ServiceSnapshot {
    const { logLevel, maxClients, workers } = this.#parent;
    return {
      serverStartTime: this.#serverStartTime,
      uptimeMs: now - this.#startedAt,
      currentLogLevel: logLevel,
      version: PROGRAM_VERSION,
      maxClients,
      totals: WorkerTotals.sum(this.#totals),
      workers: workers.map(({ id, pid }): WorkerSnapshot => {
        const last = this.#reports.get(id);
        return {
          id,
          pid,
          totals: new WorkerTotals(this.#totals, id).all,
          report: last?.report,
          ageMs: last ? now - last.at : 0,
        };
      }),
    };
  }
}
