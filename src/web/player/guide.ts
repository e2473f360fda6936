/** The programme guide as the page keeps it: programmes by channel, with stand-ins where there are none (status.md section 9). */
import { archiveMs, type Channel, hasCatchup } from "./playlist.ts";

const MS_PER_HOUR = 3_600_000;
/** So much is shown of what nobody can replay. */
const PAST_MS = 72 * MS_PER_HOUR;
/** What is further ahead is not kept. */
const AHEAD_MS = 72 * MS_PER_HOUR;
const PLACEHOLDER_MS = 2 * MS_PER_HOUR;
/** Of all channels together; a guide that is larger is cut off. */
const MAX_PROGRAMMES = 300_000;

/** Times in ms since 1970; `endMs` is exclusive. */
export interface Programme {
  readonly startMs: number;
  readonly endMs: number;
  /** Empty for a stand-in or one without title. */
  readonly title: string;
}

export class Guide {
  readonly #idsByName = new Map<string, string>();
  readonly #programmes = new Map<string, Programme[]>();
  /** Everything by which a channel of the playlist can be found. */
  readonly #wanted: ReadonlySet<string>;
  readonly #wantedIds = new Set<string>();
  readonly #nowMs: number;
  /** What is over for longer cannot be replayed anywhere. */
  readonly #pastMs: number;
  #count = 0;

  constructor(channels: readonly Channel[], nowMs: number) {
    this.#wanted = new Set(channels.flatMap(namesOf));
    this.#nowMs = nowMs;
    this.#pastMs = channels.reduce((longest, channel) => Math.max(longest, archiveMs(channel)), PAST_MS);
  }

  /** Channels come before their programmes; of those that the playlist does not know nothing is kept. */
  addChannel(id: string, names: readonly string[]): void {
    const known = [id, ...names].filter((name) => this.#wanted.has(name));
    if (known.length > 0) this.#wantedIds.add(id);
    for (const name of known) if (!this.#idsByName.has(name)) this.#idsByName.set(name, id);
  }

  addProgramme(id: string, programme: Programme): void {
    const { startMs, endMs } = programme;
    if (!(startMs < endMs) || endMs < this.#nowMs - this.#pastMs || startMs > this.#nowMs + AHEAD_MS) return;
    if (!this.#wantedIds.has(id) && !this.#wanted.has(id)) return;
    if (this.#count >= MAX_PROGRAMMES) return;
    this.#count++;
    const list = this.#programmes.get(id);
    if (list) list.push(programme);
    else this.#programmes.set(id, [programme]);
  }

  /** By start, without overlaps. */
  programmesOf(channel: Channel, nowMs: number): readonly Programme[] {
    const listed: Programme[] = [];
    for (const programme of this.#find(channel).toSorted((a, b) => a.startMs - b.startMs)) {
      const last = listed.at(-1);
      if (!last || programme.startMs >= last.endMs) listed.push(programme);
    }
    return hasCatchup(channel) ? withPlaceholders(listed, nowMs, archiveMs(channel)) : listed;
  }

  #find(channel: Channel): readonly Programme[] {
    for (const name of namesOf(channel)) {
      const programmes = this.#programmes.get(this.#idsByName.get(name) ?? name);
      if (programmes) return programmes;
    }
    return [];
  }
}

function namesOf(channel: Channel): string[] {
  return [channel.tvgId, channel.tvgName, channel.name].filter(Boolean);
}

/** Stand-ins fill the holes of the past, cut at every second full hour. */
function withPlaceholders(programmes: readonly Programme[], nowMs: number, pastMs: number): Programme[] {
  const filled: Programme[] = [];
  let atMs = Math.floor((nowMs - pastMs) / PLACEHOLDER_MS) * PLACEHOLDER_MS;
  const fillTo = (endMs: number) => {
    while (atMs < endMs) {
      const next = Math.min(endMs, (Math.floor(atMs / PLACEHOLDER_MS) + 1) * PLACEHOLDER_MS);
      filled.push({ startMs: atMs, endMs: next, title: "" });
      atMs = next;
    }
  };
  // The slot that is on air is filled whole, so that the timeline has something to span.
  const lastMs = (Math.floor(nowMs / PLACEHOLDER_MS) + 1) * PLACEHOLDER_MS;
  for (const programme of programmes) {
    if (programme.startMs < lastMs) fillTo(programme.startMs);
    else fillTo(lastMs);
    filled.push(programme);
    atMs = Math.max(atMs, programme.endMs);
  }
  fillTo(lastMs);
  return filled;
}

/** Whether the archive still has the beginning of a programme. */
export function isRecorded({ startMs }: Programme, channel: Channel, nowMs: number): boolean {
  return hasCatchup(channel) && startMs >= nowMs - archiveMs(channel);
}

/** The programme on air at a time; undefined in a hole. */
export function programmeAt(programmes: readonly Programme[], ms: number): Programme | undefined {
  let low = 0;
  let high = programmes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (programmes[middle]!.endMs <= ms) low = middle + 1;
    else high = middle;
  }
  const found = programmes[low];
  return found && found.startMs <= ms ? found : undefined;
}

/** Consecutive programmes by the local day on which they begin. */
export function byDay(
  programmes: readonly Programme[],
): { readonly dayMs: number; readonly programmes: Programme[] }[] {
  const days: { dayMs: number; programmes: Programme[] }[] = [];
  for (const programme of programmes) {
    const dayMs = new Date(programme.startMs).setHours(0, 0, 0, 0);
    if (days.at(-1)?.dayMs !== dayMs) days.push({ dayMs, programmes: [] });
    days.at(-1)!.programmes.push(programme);
  }
  return days;
}
