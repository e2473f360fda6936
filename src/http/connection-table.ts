/** The connections of a worker: how many there may be, and which one goes when room is needed (http.md section 1). */
import { descriptorsForAll, descriptorsForClients, takenDescriptors } from "../system/descriptors.ts";
import type { Log } from "../system/log.ts";
import { parseIpAddress } from "../wire/ip/address.ts";

/** A client that takes nothing of its answer for so long must make room for another. */
const STALLED_MS = 5000;
const LOG_INTERVAL_MS = 1000;
/** Between two counts of all descriptors; in between our own connections are counted. */
const COUNT_INTERVAL_MS = 100;
/** An IPv6 host has a whole network of this size to itself (RFC 4291 section 2.5.1). */
const IPV6_NETWORK_BYTES = 8;

export interface ConnectionLimits {
  readonly total: number;
  /** Of one address, but for those of this machine: a proxy may stand in front. */
  readonly perAddress: number;
}

interface OpenConnection {
  /** Closes it at once, which removes it from the table. */
  abort(): void;
}

/**
 * `idle`: there is no complete request, or the answer is delivered. `sending`: what is left of an answer waits for the client.
 * `busy`: all else.
 */
export type Activity = "idle" | "sending" | "busy";

export class ConnectionTable {
  /** May change at any time; who is there stays. */
  limits: ConnectionLimits;
  readonly #log: Log;
  /** With their addresses; undefined where those do not count. */
  readonly #open = new Map<OpenConnection, string | undefined>();
  readonly #byAddress = new Map<string, number>();
  /** The longest first. */
  readonly #idle = new Set<OpenConnection>();
  /** Since when their clients have taken nothing, in ms, the longest first. */
  readonly #sending = new Map<OpenConnection, number>();
  /** Those whose descriptors are beyond what all may have: while there are some, lower numbers prove nothing. */
  readonly #beyond = new Set<OpenConnection>();
  /** Descriptors of others than connections, and when they were counted. */
  #others = 0;
  #countedAt = Number.NEGATIVE_INFINITY;
  #refused = 0;
  #closed = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: ConnectionLimits, log: Log) {
    this.limits = limits;
    this.#log = log;
  }

  /**
   * Makes room for a new connection; false when there is none.
   * @param fd its descriptor; negative where nobody knows
   * @param remoteAddress undefined on a Unix socket
   */
  makeRoom(fd: number, remoteAddress: string | undefined): boolean {
    const { total, perAddress } = this.limits;
    const address = countedAddress(remoteAddress);
    if (address !== undefined && (this.#byAddress.get(address) ?? 0) >= perAddress) {
      return this.#replace(`Too many connections from ${address} (limit ${perAddress})`, address);
    }
    if (this.#open.size >= total) return this.#replace(`Too many connections (limit ${total})`);
    const taken = this.#taken(fd);
    if (taken < descriptorsForAll()) return true;
    return this.#replace("Too many open files", undefined, taken < descriptorsForClients());
  }

  add(connection: OpenConnection, fd: number, remoteAddress: string | undefined): void {
    const address = countedAddress(remoteAddress);
    this.#open.set(connection, address);
    if (fd >= descriptorsForAll()) this.#beyond.add(connection);
    this.#idle.add(connection);
    if (address !== undefined) this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  /** Whenever its activity changes, and whenever the client of a `sending` one has taken something. */
  entered(connection: OpenConnection, activity: Activity): void {
    this.#sending.delete(connection);
    if (activity !== "idle") this.#idle.delete(connection);
    if (activity === "idle") this.#idle.add(connection);
    else if (activity === "sending") this.#sending.set(connection, performance.now());
  }

  remove(connection: OpenConnection): void {
    const address = this.#open.get(connection);
    this.#open.delete(connection);
    this.#idle.delete(connection);
    this.#sending.delete(connection);
    this.#beyond.delete(connection);
    if (address === undefined) return;
    const count = this.#byAddress.get(address)! - 1;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }

  /** How many descriptors are taken when the last one is `fd`. */
  #taken(fd: number): number {
    if (this.#beyond.size === 0) return fd;
    const now = performance.now();
    if (now - this.#countedAt >= COUNT_INTERVAL_MS) {
      this.#countedAt = now;
      this.#others = takenDescriptors() - this.#open.size;
    }
    return Math.max(fd, this.#open.size + this.#others);
  }

  /**
   * Closes one that waits, if there is one.
   * @param address of that one
   * @param isLetIn when there is none
   */
  #replace(why: string, address?: string, isLetIn = false): boolean {
    const victim = this.#longestWaiting(address);
    if (!victim && isLetIn) return true;
    victim?.abort();
    if (victim) this.#closed++;
    else this.#refused++;
    this.#report(why);
    return victim !== undefined;
  }

  #longestWaiting(address: string | undefined): OpenConnection | undefined {
    const isMeant = (connection: OpenConnection) => address === undefined || this.#open.get(connection) === address;
    for (const connection of this.#idle) if (isMeant(connection)) return connection;
    const stalledSince = performance.now() - STALLED_MS;
    for (const [connection, since] of this.#sending) {
      if (since > stalledSince) return undefined;
      if (isMeant(connection)) return connection;
    }
    return undefined;
  }

  #report(why: string): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    const parts = [
      ...(this.#refused > 0 ? [`${this.#refused} refused`] : []),
      ...(this.#closed > 0 ? [`${this.#closed} waiting ones closed for new ones`] : []),
    ];
    this.#log.warn(`${why}: ${parts.join(", ")}`);
    this.#loggedAt = now;
    this.#refused = 0;
    this.#closed = 0;
  }
}

/** How a client's address counts; undefined when it does not. */
function countedAddress(remoteAddress: string | undefined): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "");
  if (address === undefined || address === "::1" || address.startsWith("127.")) return undefined;
  const parsed = parseIpAddress(address);
  if (parsed?.family !== 6) return address;
  return `${Buffer.from(parsed.bytes.subarray(0, IPV6_NETWORK_BYTES))
    .toString("hex")
    .replace(/(.{4})(?=.)/g, "$1:")}::/64`;
}
