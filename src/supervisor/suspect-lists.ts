/** Remembers which lists workers have died of, so that the next worker does not die of them at once (m3u.md section 3). */

import type { ListVersion, SuspectList } from "../playlist/suspects.ts";
import type { Log } from "../system/log.ts";
import { shown } from "../system/shown.ts";

/** Doubles with each death. */
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 3_600_000;
/** Those of longest ago are forgotten. */
const MAX_SUSPECTS = 64;

interface Suspect extends ListVersion {
  readonly deaths: number;
  readonly until: number;
}

export class SuspectLists {
  readonly #log: Log;
  readonly #now: () => number;
  /** What workers are reading, by worker. */
  readonly #reading = new Map<number, ListVersion[]>();
  #suspects: readonly Suspect[] = [];

  constructor(log: Log, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** What a new worker must not read yet. */
  get all(): SuspectList[] {
    const now = this.#now();
    return this.#suspects.flatMap(({ url, hash, until }) => (until > now ? { url, hash, forMs: until - now } : []));
  }

  begins(worker: number, list: ListVersion): void {
    this.#reading.set(worker, [...(this.#reading.get(worker) ?? []), list]);
  }

  /** The worker has read all of it, and lives. */
  ends(worker: number): void {
    for (const list of this.#reading.get(worker) ?? [])
      this.#suspects = this.#suspects.filter((old) => !isSame(old, list));
    this.#reading.delete(worker);
  }

  /** @param isDeath not when it was told to end */
  exited(worker: number, isDeath: boolean): void {
    const lists = this.#reading.get(worker) ?? [];
    this.#reading.delete(worker);
    if (isDeath) for (const list of lists) this.#blame(worker, list);
  }

  #blame(worker: number, { url, hash }: ListVersion): void {
    const earlier = this.#suspects.find((old) => isSame(old, { url, hash }));
    const deaths = (earlier?.deaths ?? 0) + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), MAX_PAUSE_MS);
    const others = this.#suspects.filter((old) => old !== earlier);
    this.#suspects = [...others, { url, hash, deaths, until: this.#now() + pauseMs }].slice(-MAX_SUSPECTS);
    const what = `Worker ${worker} died while it read the playlist ${shown(url)}`;
    this.#log.error(`${what} (${deaths} in a row), which is not read again for ${pauseMs / 1000} seconds`);
  }
}

function isSame(one: ListVersion, other: ListVersion): boolean {
  return one.url === other.url && one.hash === other.hash;
}
