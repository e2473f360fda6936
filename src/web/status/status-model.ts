/** All that the page shows, made from the events so far. */
import type { ReadStatusEvent } from "../../wire/status/event.ts";
import { ClientList } from "./client-list.ts";
import { History } from "./history.ts";
import { LogLines } from "./log-lines.ts";
import { isTrouble, UpstreamList } from "./upstream-health.ts";

/** The one sentence at the top, the worst that is true. */
export type Verdict = "unknown" | "stale" | "upstreams" | "clients" | "idle" | "fine";

export class StatusModel {
  readonly clients = new ClientList();
  readonly upstreams = new UpstreamList();
  readonly history = new History();
  readonly logs = new LogLines();
  /** The last one. */
  event: ReadStatusEvent | undefined;
  /** When the last event came, Unix ms. */
  updatedMs: number | undefined;

  apply(event: ReadStatusEvent, nowMs: number): void {
    this.event = event;
    this.updatedMs = nowMs;
    this.clients.apply(event.clients);
    this.upstreams.apply(event.upstreams ?? [], nowMs);
    this.history.apply(event, nowMs);
    this.logs.apply(event.logsMode, event.logs);
  }

  get upstreamsInTrouble(): number {
    return this.upstreams.rows.filter(({ health }) => isTrouble(health)).length;
  }

  get slowClients(): number {
    return this.clients.connected.filter(({ client }) => client.slow === 1).length;
  }

  verdict(isConnected: boolean): Verdict {
    if (this.event === undefined) return "unknown";
    if (!isConnected) return "stale";
    if (this.upstreamsInTrouble > 0) return "upstreams";
    if (this.slowClients > 0) return "clients";
    return this.clients.connected.length === 0 ? "idle" : "fine";
  }
}
