/** The media clients of a worker, and all that can be seen of them (status.md sections 3 to 5). */
import { SLOT_BYTES } from "../relay/budget.ts";
import type { QueueStats, SourceStats } from "../relay/stats.ts";
import type { ClientState } from "../wire/status/client-state.ts";
import type { ClientReport, UpstreamReport } from "../wire/status/event.ts";
import { Rate } from "./rate.ts";
import { CountedShare, SendCounts, WorkerTotals } from "./totals.ts";
import { WatchedUpstream } from "./upstreams.ts";

/** Who it is, in text that may be shown to anybody who may see the status page. */
export interface ClientIdentity {
  /** At most 127 bytes. */
  readonly address: string;
  /** At most 255 bytes, without the token. */
  readonly serviceUrl: string;
  /** At most 255 bytes, without the token. */
  readonly userAgent: string;
  /** Where its media will come from, as far as is known. */
  readonly kind: string;
}

/** What the registry needs of whatever takes the media: a connection, or something without a socket. */
export interface ClientHandle {
  readonly sentBytes: number;
  /** Ends it at once. */
  abort(): void;
}

/** A client's entry. Whoever serves it says what is new: its state, and where its media comes from. */
export class WatchedClient {
  readonly id: string;
  readonly handle: ClientHandle;
  upstream: WatchedUpstream | undefined;
  readonly #registry: ClientRegistry;
  readonly #identity: ClientIdentity;
  readonly #startedAt = performance.now();
  readonly #rate = new Rate(0, this.#startedAt);
  #state: ClientState;
  #queue: QueueStats | undefined;
  #share: CountedShare;

  constructor(
    registry: ClientRegistry,
    id: string,
    handle: ClientHandle,
    identity: ClientIdentity,
    state: ClientState,
  ) {
    this.#registry = registry;
    this.id = id;
    this.handle = handle;
    this.#identity = identity;
    this.#state = state;
    this.#share = new CountedShare(registry.totals);
  }

  set state(state: ClientState) {
    if (state === this.#state) return;
    this.#state = state;
    this.#registry.changed();
  }

  /** Its media comes from here. */
  fed(queue: QueueStats, source: SourceStats): void {
    this.settle();
    this.upstream?.settle();
    this.#share = new CountedShare(this.#registry.totals);
    this.#queue = queue;
    this.upstream = this.#registry.upstreamOf(source);
    this.#registry.changed();
  }

  /** Adds what has been counted so far to the totals. */
  settle(): void {
    if (!this.#queue) return;
    const { droppedPackets, droppedBytes, backpressureEvents } = this.#queue;
    this.#share.settle({ droppedPackets, droppedBytes, backpressureEvents });
  }

  /** Begins to measure, now that somebody watches. */
  watch(now: number): void {
    this.#rate.restart(this.handle.sentBytes, now);
  }

  measure(now: number): void {
    this.#rate.measure(this.handle.sentBytes, now);
  }

  report(now: number): ClientReport {
    const { address, serviceUrl, userAgent, kind } = this.#identity;
    const { queuedBytes = 0, limitBytes = 0, peakBytes = 0, droppedBytes = 0, isSlow = false } = this.#queue ?? {};
    return {
      clientId: this.id,
      durationMs: Math.round(now - this.#startedAt),
      clientAddr: address,
      serviceUrl,
      state: this.#state,
      bytesSent: this.handle.sentBytes,
      currentBandwidth: this.#rate.perSecond,
      queueBytes: wholeSlots(queuedBytes),
      queueLimitBytes: Math.floor(limitBytes),
      queueBytesHighwater: wholeSlots(peakBytes),
      droppedBytes,
      slow: isSlow ? 1 : 0,
      droppedPackets: this.#queue?.droppedPackets ?? 0,
      backpressureEvents: this.#queue?.backpressureEvents ?? 0,
      upstream: this.upstream?.about.kind ?? kind,
      receiver: this.upstream?.about.receiver ?? "",
      upstreamId: this.upstream?.id ?? "",
      userAgent,
    };
  }
}

export class ClientRegistry {
  readonly sendCounts: SendCounts;
  readonly totals: WorkerTotals;
  /** Called when clients or their states are others than before, while somebody watches. */
  onChanged: (() => void) | undefined;
  readonly #worker: number;
  readonly #clients = new Map<string, WatchedClient>();
  readonly #upstreams = new WeakMap<SourceStats, WatchedUpstream>();
  #nextClient = 0;
  #nextUpstream = 0;
  #isWatched = false;
  #examinesAlways = false;

  /** @param worker 0 or more */
  constructor(worker = 0, totals = new WorkerTotals()) {
    this.#worker = worker;
    this.totals = totals;
    this.sendCounts = new SendCounts(totals);
  }

  /** @param state its first one */
  enter(handle: ClientHandle, identity: ClientIdentity, state: ClientState): WatchedClient {
    const id = `${identity.address}-worker${this.#worker}-seq${this.#nextClient++}`;
    const client = new WatchedClient(this, id, handle, identity, state);
    this.#clients.set(id, client);
    this.totals.add("clients", 1);
    this.changed();
    return client;
  }

  /** Harmless when repeated. */
  leave(client: WatchedClient): void {
    if (!this.#clients.delete(client.id)) return;
    client.settle();
    client.upstream?.settle();
    this.changed();
  }

  /** Ends a client at once; false when there is no such client. */
  disconnect(id: string): boolean {
    const client = this.#clients.get(id);
    client?.handle.abort();
    return client !== undefined;
  }

  changed(): void {
    if (this.#isWatched) this.onChanged?.();
  }

  upstreamOf(source: SourceStats): WatchedUpstream {
    const known = this.#upstreams.get(source);
    if (known) return known;
    const now = performance.now();
    const upstream = new WatchedUpstream(this.#worker, this.#nextUpstream++, source, this.totals, now);
    this.#upstreams.set(source, upstream);
    upstream.examine(this.#examines);
    return upstream;
  }

  /** Whether every packet is looked at though nobody watches (`stream-health`). */
  set examinesAlways(isOn: boolean) {
    this.#examinesAlways = isOn;
    this.#examine();
  }

  get #examines(): boolean {
    return this.#isWatched || this.#examinesAlways;
  }

  #examine(): void {
    for (const upstream of this.#sharedUpstreams().keys()) upstream.examine(this.#examines);
  }

  /** Whether somebody watches: only then is anything measured or told, and every packet looked at unless that is always done. */
  watch(isWatched: boolean, now: number): void {
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.#examine();
    if (!isWatched) return;
    for (const upstream of this.#sharedUpstreams().keys()) upstream.watch(now);
    for (const client of this.#clients.values()) client.watch(now);
  }

  /** Finds out the rates since the last time. */
  measure(now: number): void {
    for (const client of this.#clients.values()) client.measure(now);
    for (const upstream of this.#sharedUpstreams().keys()) upstream.measure(now);
  }

  report(now: number): { clients: ClientReport[]; upstreams: UpstreamReport[] } {
    const upstreams = this.#sharedUpstreams();
    for (const client of this.#clients.values()) client.settle();
    for (const upstream of upstreams.keys()) upstream.settle();
    return {
      clients: Array.from(this.#clients.values(), (client) => client.report(now)),
      upstreams: Array.from(upstreams, ([upstream, clients]) => upstream.report(clients, now)),
    };
  }

  /** An upstream is there for as long as it has clients; with how many it has. */
  #sharedUpstreams(): Map<WatchedUpstream, number> {
    const counts = new Map<WatchedUpstream, number>();
    for (const { upstream } of this.#clients.values()) {
      if (upstream) counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
    }
    return counts;
  }
}

/** The unit in which queues are shown (flow-control.md section 2). */
function wholeSlots(bytes: number): number {
  return Math.ceil(bytes / SLOT_BYTES) * SLOT_BYTES;
}
