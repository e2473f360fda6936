/** Tells the supervisor what there is to see in this worker: when asked, and soon after a change while somebody watches. */
import type { Budget } from "../relay/budget.ts";
import type { ClientRegistry } from "../status/clients.ts";
import { poolReport } from "../status/pool-report.ts";
import type { WorkerReport } from "../status/report.ts";

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
