/** Looks names up, each once however many want to know it, so many at a time, and forgets whom nobody waits for (http-proxy.md section 4). */
import type { IpAddress } from "../wire/ip/address.ts";
import { errorCode } from "./errno.ts";
import { NameMemory } from "./name-memory.ts";
import { type FoundName, NameError } from "./name-query.ts";

/** Names that are asked for at the same time; each takes a socket or two. */
const MAX_LOOKUPS = 64;
/** Of these, for one client: whoever asks for many names leaves room for the others. */
const MAX_LOOKUPS_OF_CLIENT = 16;
/** Names that wait for their turn. */
const MAX_WAITING = 1024;
/** For a name, with the wait for its turn: less than what waits for the address has, so that the failure is remembered. */
const LOOKUP_MS = 2500;
/** A name that was asked for only so long when its time was over may be a good one. */
const FAIR_MS = 1000;
/** Then addresses that were good before do (RFC 8767 section 5). */
const STALE_AFTER_MS = 1000;

export interface ResolveOptions {
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** On whose behalf: the address of an HTTP client, say. */
  readonly client?: string | undefined;
}

export interface NameSource {
  /** Answers without asking anybody; undefined when that is not possible. */
  local(name: string): readonly IpAddress[] | undefined;
  /** Gives up when `signal` says so. */
  ask(name: string, signal: AbortSignal): Promise<FoundName>;
}

interface Waiter {
  resolve(addresses: readonly IpAddress[]): void;
  reject(reason: unknown): void;
}

interface Lookup {
  readonly name: string;
  readonly client: string | undefined;
  readonly waiters: Set<Waiter>;
  readonly abort: AbortController;
  state: "waiting" | "asking" | "over";
  /** In ms; never, as long as it waits. */
  askedAt: number;
  timers: Timer[];
}

export class NameService {
  readonly memory = new NameMemory();
  readonly #source: NameSource;
  readonly #lookupMs: number;
  /** By name: those that wait for their turn, and those that are asked for. */
  readonly #lookups = new Map<string, Lookup>();
  #asking = 0;
  readonly #askingOf = new Map<string | undefined, number>();

  constructor(source: NameSource, lookupMs = LOOKUP_MS) {
    this.#source = source;
    this.#lookupMs = lookupMs;
  }

  /**
   * @param name in lower case
   * @throws NameError, or the reason of the signal
   */
  async resolve(name: string, { signal, client }: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    signal?.throwIfAborted();
    const local = this.#source.local(name);
    if (local) return local;
    const now = performance.now();
    const fresh = this.memory.fresh(name, now);
    if (fresh) return fresh;
    const failure = this.memory.failure(name, now);
    if (failure === undefined) return this.#join(this.#lookups.get(name) ?? this.#begin(name, client), signal);
    const stale = this.memory.stale(name, now);
    if (stale) return stale;
    throw failure;
  }

  #begin(name: string, client: string | undefined): Lookup {
    if (this.#lookups.size >= MAX_LOOKUPS + MAX_WAITING) throw new NameError("EBUSY", name);
    const lookup: Lookup = {
      name,
      client,
      waiters: new Set(),
      abort: new AbortController(),
      state: "waiting",
      askedAt: Number.POSITIVE_INFINITY,
      timers: [],
    };
    lookup.timers = [
      setTimeout(() => this.#useStale(lookup), STALE_AFTER_MS),
      setTimeout(() => this.#failed(lookup, new NameError(this.#timeoutCode(lookup), name)), this.#lookupMs),
    ];
    this.#lookups.set(name, lookup);
    this.#askNext();
    return lookup;
  }

  #timeoutCode({ askedAt }: Lookup): string {
    return performance.now() - askedAt < Math.min(FAIR_MS, this.#lookupMs / 2) ? "EBUSY" : "ETIMEOUT";
  }

  #join(lookup: Lookup, signal: AbortSignal | undefined): Promise<readonly IpAddress[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly IpAddress[]>();
    const waiter: Waiter = { resolve, reject };
    lookup.waiters.add(waiter);
    const leave = () => {
      reject(signal?.reason);
      lookup.waiters.delete(waiter);
      if (lookup.waiters.size === 0) this.#end(lookup);
    };
    signal?.addEventListener("abort", leave, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  /** First come, first served, among the clients that may ask for more. */
  #askNext(): void {
    for (const lookup of this.#lookups.values()) {
      if (this.#asking >= MAX_LOOKUPS) return;
      const { state, client } = lookup;
      const isOneTooMany = client !== undefined && this.#count(client) >= MAX_LOOKUPS_OF_CLIENT;
      if (state === "waiting" && !isOneTooMany) this.#ask(lookup);
    }
  }

  #ask(lookup: Lookup): void {
    lookup.state = "asking";
    lookup.askedAt = performance.now();
    this.#asking++;
    this.#askingOf.set(lookup.client, this.#count(lookup.client) + 1);
    this.#source.ask(lookup.name, lookup.abort.signal).then(
      (found) => this.#found(lookup, found),
      (error: unknown) => this.#failed(lookup, error),
    );
  }

  #count(client: string | undefined): number {
    return this.#askingOf.get(client) ?? 0;
  }

  #found(lookup: Lookup, found: FoundName): void {
    if (lookup.state === "over") return;
    this.memory.found(lookup.name, found, performance.now());
    for (const { resolve } of lookup.waiters) resolve(found.addresses);
    this.#end(lookup);
  }

  #failed(lookup: Lookup, error: unknown): void {
    if (lookup.state === "over") return;
    const now = performance.now();
    if (errorCode(error) !== "EBUSY") this.memory.failed(lookup.name, error, now);
    const stale = this.memory.stale(lookup.name, now);
    for (const { resolve, reject } of lookup.waiters) stale ? resolve(stale) : reject(error);
    this.#end(lookup);
  }

  /** The answer goes into the memory when it comes. */
  #useStale({ name, waiters }: Lookup): void {
    const stale = this.memory.stale(name, performance.now());
    if (!stale) return;
    for (const { resolve } of waiters) resolve(stale);
  }

  #end(lookup: Lookup): void {
    if (lookup.state === "over") return;
    for (const timer of lookup.timers) clearTimeout(timer);
    if (lookup.state === "asking") {
      this.#asking--;
      const count = this.#count(lookup.client) - 1;
      if (count > 0) this.#askingOf.set(lookup.client, count);
      else this.#askingOf.delete(lookup.client);
    }
    lookup.state = "over";
    this.#lookups.delete(lookup.name);
    lookup.abort.abort(new NameError("ECANCELLED", lookup.name));
    this.#askNext();
  }
}
