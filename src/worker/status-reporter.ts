/** Tells the supervisor what there is to see in this worker: when asked, and soon after a change while somebody watches. */
import { type Budget, SLOT_BYTES } from "../relay/budget.ts";
import type { ClientRegistry } from "../status/clients.ts";
import type { WorkerReport } from "../status/snapshot.ts";
import type { PoolReport } from "../wire/status/event.ts";

/** Changes that come together are told together. */
const GATHER_MS = 20;

export class StatusReporter {
  readonly #clients: ClientRegistry;
  readonly #budget: Budget;
  readonly #send: (report: WorkerReport) => void;
  #timer: Timer | undefined;

  constructor(clients: ClientRegistry, budget: Budget, send: (report: WorkerReport) => void) {
    this.#clients = clients;
    this.#budget = budget;
    this.#send = send;
    clients.onChanged = () => {
      this.#timer ??= setTimeout(() => this.#report(), GATHER_MS);
    };
  }

  /** Somebody watches: measures what has happened since it was last asked, and tells. */
  ask(): void {
    const now = performance.now();
    this.#clients.watch(true, now);
    this.#clients.measure(now);
    this.#report();
  }

  /** Nobody watches any more. */
  rest(): void {
    this.#clients.watch(false, performance.now());
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { total, eagain, batch } = this.#clients.sendCounts;
    this.#send({
      ...this.#clients.report(performance.now()),
      // There is no sending without a copy, and no buffer of the network driver's is ever asked for.
      send: { total, completions: 0, copied: 0, eagain, enobufs: 0, batch },
      pool: poolReport(this.#budget),
    });
  }
}

/** The media memory as the buffer pool of the event (flow-control.md section 2): all of the budget counts as allocated, what rings have as used. */
function poolReport({ totalBytes, usedBytes, expansions, exhaustions, shrinks }: Budget): PoolReport {
  const max = Math.floor(totalBytes / SLOT_BYTES);
  // The least that an upstream needs is given even when the budget is used up.
  const used = Math.min(max, Math.ceil(usedBytes / SLOT_BYTES));
  const utilization = Math.round((used / max) * 1000) / 10;
  return { total: max, free: max - used, used, max, expansions, exhaustions, shrinks, utilization };
}
