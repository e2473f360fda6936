/** Lets media clients in: the limit on them (`-m`, http.md section 14) holds for all workers together. */

import { errorResponse } from "../http/response.ts";
import { ClientRegistry, type WatchedClient } from "../status/clients.ts";
import type { Log } from "../system/log.ts";
import type { PlannedUpstream } from "../upstream/planner.ts";
import { clientIdentity } from "./client-identity.ts";
import type { Exchange } from "./route.ts";

/** The places of a program: one counter for all, and one for each worker so that a dead worker's places are known. */
export class SharedSlots {
  readonly #counters: Int32Array;
  readonly #worker: number;

  /**
   * @param counters shared by all workers, `SharedSlots.size(workers)` of them; by default this worker's alone
   * @param worker 0 or more
   */
  constructor(counters: Int32Array = new Int32Array(SharedSlots.size(1)), worker = 0) {
    this.#counters = counters;
    this.#worker = worker;
  }

  /** How many counters so many workers need. */
  static size(workers: number): number {
    return 1 + workers;
  }

  /** Taken by all workers. */
  get taken(): number {
    return Atomics.load(this.#counters, 0);
  }

  /** Takes a place unless `limit` are taken. Exact, however many workers ask at the same time. */
  take(limit: number): boolean {
    for (let taken = this.taken; taken < limit; ) {
      const before = Atomics.compareExchange(this.#counters, 0, taken, taken + 1);
      if (before === taken) {
        Atomics.add(this.#counters, 1 + this.#worker, 1);
        return true;
      }
      taken = before;
    }
    return false;
  }

  giveBack(): void {
    Atomics.sub(this.#counters, 1 + this.#worker, 1);
    Atomics.sub(this.#counters, 0, 1);
  }

  /** Gives back all places of this worker, which has died; returns how many there were. */
  reclaim(): number {
    const count = Atomics.exchange(this.#counters, 1 + this.#worker, 0);
    Atomics.sub(this.#counters, 0, count);
    return count;
  }
}

/** A media client that was let in. */
export interface Admitted {
  /** Its entry on the status page. */
  readonly client: WatchedClient;
  /** Gives the place back, once however often it is called. */
  readonly leave: () => void;
}

export class ClientLimit {
  /** May change at any time; who is inside stays. */
  limit: number;
  readonly #places: SharedSlots;
  readonly #clients: ClientRegistry;

  /** @param limit 1 or more */
  constructor(limit: number, places = new SharedSlots(), clients = new ClientRegistry()) {
    this.limit = limit;
    this.#places = places;
    this.#clients = clients;
  }

  /** Clients inside, of all workers. */
  get count(): number {
    return this.#places.taken;
  }

  /**
   * Takes a place for the client of a request; undefined when all are taken.
   * @param plan where its media will come from
   */
  enter(exchange: Exchange, plan: Pick<PlannedUpstream, "about" | "firstState">): Admitted | undefined {
    if (!this.#places.take(this.limit)) return undefined;
    const { connection } = exchange;
    connection.countSends(this.#clients.sendCounts);
    const client = this.#clients.enter(connection, clientIdentity(exchange, plan.about.kind), plan.firstState);
    let isInside = true;
    const leave = () => {
      if (isInside) this.#places.giveBack();
      isInside = false;
      this.#clients.leave(client);
    };
    return { client, leave };
  }
}

/** Takes a place for the client of a request; when all are taken, the client and the log are told. */
export function admit(
  { clientLimit, log }: { readonly clientLimit: ClientLimit; readonly log: Log },
  exchange: Exchange,
  plan: Pick<PlannedUpstream, "about" | "firstState">,
): Admitted | undefined {
  const admitted = clientLimit.enter(exchange, plan);
  if (!admitted) {
    log.warn("Maximum client limit reached");
    exchange.connection.respond(errorResponse(503));
  }
  return admitted;
}
