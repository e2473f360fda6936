/** Lets media clients in: the limit on them (`-m`, http.md section 14) holds for all workers together. */

import { errorResponse } from "../http/response.ts";
import { ClientRegistry, type WatchedClient } from "../status/clients.ts";
import { SharedSlots } from "../status/shared-slots.ts";
import { isDescriptorLeftForMedia } from "../system/descriptors.ts";
import type { Log } from "../system/log.ts";
import type { PlannedUpstream } from "../upstream/planner.ts";
import { clientIdentity } from "./client-identity.ts";
import type { Exchange } from "./route.ts";

/** A media client that was let in. */
export interface Admitted {
  /** Its entry on the status page. */
  readonly client: WatchedClient;
  /** Gives the slot back, once however often it is called. */
  readonly leave: () => void;
}

export class ClientLimit {
  /** May change at any time; who is inside stays. */
  limit: number;
  readonly #slots: SharedSlots;
  readonly #clients: ClientRegistry;

  /** @param limit 1 or more */
  constructor(limit: number, slots = new SharedSlots(), clients = new ClientRegistry()) {
    this.limit = limit;
    this.#slots = slots;
    this.#clients = clients;
  }

  /** Clients inside, of all workers. */
  get count(): number {
    return this.#slots.taken;
  }

  /**
   * Takes a slot for the client of a request; undefined when all are taken.
   * @param plan where its media will come from
   */
  enter(exchange: Exchange, plan: Pick<PlannedUpstream, "about" | "firstState">): Admitted | undefined {
    if (!this.#slots.take(this.limit)) return undefined;
    const { connection } = exchange;
    connection.countSends(this.#clients.sendCounts);
    const client = this.#clients.enter(connection, clientIdentity(exchange, plan.about.kind), plan.firstState);
    let isInside = true;
    const leave = () => {
      if (isInside) this.#slots.giveBack();
      isInside = false;
      this.#clients.leave(client);
    };
    return { client, leave };
  }
}

/** Takes a slot for the client of a request; when all are taken, or all descriptors, the client and the log are told. */
export function admit(
  { clientLimit, log }: { readonly clientLimit: ClientLimit; readonly log: Log },
  exchange: Exchange,
  plan: Pick<PlannedUpstream, "about" | "firstState">,
): Admitted | undefined {
  const hasDescriptor = isDescriptorLeftForMedia();
  const admitted = hasDescriptor ? clientLimit.enter(exchange, plan) : undefined;
  if (!admitted) {
    log.warn(hasDescriptor ? "Maximum client limit reached" : "Too many open files for another media client");
    exchange.connection.respond(errorResponse(503));
  }
  return admitted;
}
