/** The worker's part in what can be seen: it answers the supervisor's questions, and has snapshots for those who watch through it. */
import { type Budget, SLOT_BYTES } from "../relay/budget.ts";
import type { ClientRegistry } from "../status/clients.ts";
import { StatusFeed } from "../status/feed.ts";
import type { WorkerReport } from "../status/snapshot.ts";
import type { Log } from "../system/log.ts";
import type { PoolReport } from "../wire/status/event.ts";
import type { FromWorker, StatusToWorker } from "./messages.ts";
import { WorkerStatusControl } from "./status-control.ts";

/** Changes that come together are told together. */
const GATHER_MS = 20;

export class WorkerStatus {
  readonly feed = new StatusFeed();
  readonly control: WorkerStatusControl;
  readonly #clients: ClientRegistry;
  readonly #budget: Budget;
  readonly #send: (message: FromWorker) => boolean;
  #timer: Timer | undefined;

  /** @param send tells the supervisor; false when it is gone */
  constructor(clients: ClientRegistry, budget: Budget, log: Log, send: (message: FromWorker) => boolean) {
    this.#clients = clients;
    this.#budget = budget;
    this.#send = send;
    this.control = new WorkerStatusControl(clients, log, send);
    this.feed.onWatched = (isWatching) => send({ kind: "watch", isWatching });
    clients.onChanged = () => {
      this.#timer ??= setTimeout(() => this.#report(), GATHER_MS);
    };
  }

  take(message: StatusToWorker): void {
    switch (message.kind) {
      case "ask":
        this.#answer(message.isWatched);
        break;
      case "snapshot":
        this.feed.publish(message.snapshot, message.logs);
        break;
      case "disconnect": {
        const { question, from, clientId } = message;
        this.#send({ kind: "disconnected", question, from, isFound: this.control.disconnectHere(clientId) });
        break;
      }
      case "disconnected":
        this.control.answered(message.question, message.isFound);
    }
  }

  /** Measures what has happened since the last question. */
  #answer(isWatched: boolean): void {
    const now = performance.now();
    this.#clients.watch(isWatched, now);
    this.#clients.measure(now);
    this.#report();
  }

  #report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { total, eagain, batch } = this.#clients.sendCounts;
    const report: WorkerReport = {
      ...this.#clients.report(performance.now()),
      // There is no sending without a copy, and no buffer of the network driver's is ever asked for.
      send: { total, completions: 0, copied: 0, eagain, enobufs: 0, batch },
      pool: poolReport(this.#budget),
    };
    this.#send({ kind: "report", report });
  }
}

/** Media memory as a buffer pool (flow-control.md section 2): all of the budget counts as allocated, what rings have as used. */
function poolReport({ totalBytes, usedBytes, expansions, exhaustions, shrinks }: Budget): PoolReport {
  const max = Math.floor(totalBytes / SLOT_BYTES);
  // The least that an upstream needs is given even when the budget is used up.
  const used = Math.min(max, Math.ceil(usedBytes / SLOT_BYTES));
  const utilization = Math.round((used / max) * 1000) / 10;
  return { total: max, free: max - used, used, max, expansions, exhaustions, shrinks, utilization };
}
