/** The clients in the order of the page: connected ones in the order of their arrival, then those that went, the last to go first. */
import type { ReadClient } from "../../wire/status/event.ts";

/** Of the clients that are gone, so many are remembered. */
export const GONE_CLIENTS = 100;

export interface ClientRow {
  /** As it was last seen: duration and counters of a client that is gone stand still. */
  readonly client: ReadClient;
  readonly isGone: boolean;
}

export class ClientList {
  #connected = new Map<string, ClientRow>();
  #gone: ClientRow[] = [];

  get connected(): readonly ClientRow[] {
    return [...this.#connected.values()];
  }

  /** Gone since the page was opened, the last to go first; at most {@link GONE_CLIENTS}. */
  get gone(): readonly ClientRow[] {
    return this.#gone;
  }

  apply(clients: readonly ReadClient[]): void {
    // Among those that are new together, the one that came first stands first.
    const arrivals = [...clients].sort((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0));
    const seen = new Map(arrivals.map((client) => [client.clientId, { client, isGone: false }]));
    const stayed = [...this.#connected.keys()].flatMap((id) => seen.get(id) ?? []);
    const left = [...this.#connected.values()].filter(({ client }) => !seen.has(client.clientId));
    this.#connected = new Map([...stayed, ...seen.values()].map((row) => [row.client.clientId, row]));
    const goneBefore = this.#gone.filter(({ client }) => !seen.has(client.clientId));
    this.#gone = [...left.map((row) => ({ ...row, isGone: true })), ...goneBefore].slice(0, GONE_CLIENTS);
  }
}
