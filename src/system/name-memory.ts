/** What was found out about names: addresses for a while, failures for a moment, and the last good addresses for bad days. */
import type { IpAddress } from "../wire/ip/address.ts";
import type { FoundName } from "./name-query.ts";
import { isUnknownName } from "./name-query.ts";

const LEAST_TTL_S = 5;
const MOST_TTL_S = 300;
/** So long nobody asks again for what could not be found. */
const FAILURE_MS = 5000;
/** So long addresses are good enough when no server answers (RFC 8767 section 4). */
const STALE_MS = 24 * 3600 * 1000;
const MAX_NAMES = 1024;

interface Known {
  addresses: readonly IpAddress[] | undefined;
  freshUntil: number;
  staleUntil: number;
  failure: unknown;
  failedUntil: number;
}

export class NameMemory {
  /** The least recently asked for first. */
  readonly #names = new Map<string, Known>();

  /** Addresses that need not be asked for again. `now` in ms. */
  fresh(name: string, now: number): readonly IpAddress[] | undefined {
    const known = this.#used(name);
    return known && now < known.freshUntil ? known.addresses : undefined;
  }

  /** Addresses that were good once, and may still be. */
  stale(name: string, now: number): readonly IpAddress[] | undefined {
    const known = this.#used(name);
    return known && now < known.staleUntil ? known.addresses : undefined;
  }

  /** Why there was none a moment ago. */
  failure(name: string, now: number): unknown {
    const known = this.#used(name);
    return known && now < known.failedUntil ? known.failure : undefined;
  }

  found(name: string, { addresses, ttlS }: FoundName, now: number): void {
    const freshMs = Math.min(MOST_TTL_S, Math.max(LEAST_TTL_S, ttlS)) * 1000;
    this.#remember(name, {
      addresses,
      freshUntil: now + freshMs,
      staleUntil: now + freshMs + STALE_MS,
      failure: undefined,
      failedUntil: now,
    });
  }

  /** A server that says that there is no such name is believed; one that says nothing takes nothing away. */
  failed(name: string, failure: unknown, now: number): void {
    const known = isUnknownName(failure) ? undefined : this.#names.get(name);
    this.#remember(name, {
      addresses: known?.addresses,
      freshUntil: now,
      staleUntil: known?.staleUntil ?? now,
      failure,
      failedUntil: now + FAILURE_MS,
    });
  }

  /** The servers may be others now, or be reached. */
  forgetFailures(): void {
    for (const known of this.#names.values()) known.failedUntil = Number.NEGATIVE_INFINITY;
  }

  #used(name: string): Known | undefined {
    const known = this.#names.get(name);
    if (known) this.#remember(name, known);
    return known;
  }

  #remember(name: string, known: Known): void {
    this.#names.delete(name);
    this.#names.set(name, known);
    if (this.#names.size > MAX_NAMES) this.#names.delete(this.#names.keys().next().value!);
  }
}
