/** What a process has learned of FCC servers: redirects, dialects, and who never answers (fcc.md section 13). */
import { formatIpAddress } from "../../wire/ip/address.ts";
import type { DialectName } from "./dialect.ts";
import { type Endpoint, formatEndpoint, type GroupAddress } from "./signalling.ts";

const MAX_ENTRIES = 256;
const LEAST_VALIDITY_S = 10;
const MOST_VALIDITY_S = 3600;
/** Channels in a row without an answer, after which it is said. */
const SILENT_CHANNELS = 3;

interface KnownRedirect {
  readonly server: Endpoint;
  readonly dialect: DialectName;
}

export class KnownServers {
  readonly #redirects = new Map<string, KnownRedirect & { readonly until: number }>();
  readonly #dialects = new Map<string, DialectName>();
  readonly #unanswered = new Map<string, number>();

  /** Who was to be asked instead of `first`, as far as that is still valid. `now` in ms. */
  redirectOf(first: Endpoint, group: GroupAddress, now: number): KnownRedirect | undefined {
    const key = redirectKey(first, group);
    const known = this.#redirects.get(key);
    if (known && now < known.until) return known;
    this.#redirects.delete(key);
    return undefined;
  }

  redirected(first: Endpoint, group: GroupAddress, to: KnownRedirect, validityS: number, now: number): void {
    const seconds = Math.min(MOST_VALIDITY_S, Math.max(LEAST_VALIDITY_S, validityS));
    remember(this.#redirects, redirectKey(first, group), { ...to, until: now + seconds * 1000 });
  }

  /** Who was to be asked instead does not help. */
  forgetRedirect(first: Endpoint, group: GroupAddress): void {
    this.#redirects.delete(redirectKey(first, group));
  }

  /** In which the server has answered. */
  dialectOf(server: Endpoint): DialectName | undefined {
    return this.#dialects.get(formatEndpoint(server));
  }

  answered(server: Endpoint, dialect: DialectName): void {
    const key = formatEndpoint(server);
    this.#unanswered.delete(key);
    if (this.#dialects.get(key) !== dialect) remember(this.#dialects, key, dialect);
  }

  /** Another channel without any answer; true when that is worth a warning: once. */
  unanswered(server: Endpoint): boolean {
    const key = formatEndpoint(server);
    const channels = (this.#unanswered.get(key) ?? 0) + 1;
    remember(this.#unanswered, key, channels);
    return channels === SILENT_CHANNELS;
  }
}

function redirectKey(first: Endpoint, { group, groupPort }: GroupAddress): string {
  return `${formatEndpoint(first)} ${formatIpAddress(group)}:${groupPort}`;
}

/** Forgets the oldest when there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_ENTRIES) map.delete(map.keys().next().value!);
}
