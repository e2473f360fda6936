/** Whether an upstream flows as it should: what one wants to know when the picture stutters. */
import type { ReadUpstream } from "../../wire/status/event.ts";
import { RecentGrowth } from "./counters.ts";

/** How long a loss counts as trouble: long enough to be seen by somebody who has just stood up. */
const RECENT_MS = 60_000;

/** Television never pauses for this time. */
export const SILENCE_MS = 3000;

/** The receiver of an upstream that is a byte stream. */
const BYTE_STREAM = "stream";

/**
 * - `steady`: data flow and nothing is missing
 * - `starting`: no data yet
 * - `waiting`: a byte stream is silent, which is also how a paused player looks
 * - `silent`: a group or session that should send does not
 * - `losing`: packets were lost, or TS packets were missing, during the last minute
 */
type Health = "steady" | "starting" | "waiting" | "silent" | "losing";

export interface UpstreamRow {
  readonly upstream: ReadUpstream;
  readonly health: Health;
  /** During the last minute. */
  readonly lostRecently: number;
  readonly errorsRecently: number;
}

export function isTrouble(health: Health): boolean {
  return health === "silent" || health === "losing";
}

interface Watched {
  row: UpstreamRow;
  readonly lost: RecentGrowth;
  readonly errors: RecentGrowth;
}

export class UpstreamList {
  #watched: ReadonlyMap<string, Watched> | undefined;

  /** In the order of their opening as far as the page saw it. */
  get rows(): readonly UpstreamRow[] {
    return [...(this.#watched?.values() ?? [])].map(({ row }) => row);
  }

  apply(upstreams: readonly ReadUpstream[], nowMs: number): void {
    const before = this.#watched;
    // What the page did not see open may have lost its packets long ago.
    const initial = before === undefined ? undefined : 0;
    const seen = new Map(upstreams.map((upstream) => [upstream.id, upstream]));
    const stayed = [...(before?.keys() ?? [])].filter((id) => seen.has(id));
    const ids = new Set([...stayed, ...seen.keys()]);
    this.#watched = new Map([...ids].map((id) => [id, judged(seen.get(id)!, before?.get(id), initial, nowMs)]));
  }
}

function judged(
  upstream: ReadUpstream,
  before: Watched | undefined,
  initial: number | undefined,
  nowMs: number,
): Watched {
  const { lost, errors } = before ?? { lost: new RecentGrowth(initial), errors: new RecentGrowth(initial) };
  lost.add(upstream.rtpLost ?? 0, nowMs);
  errors.add(upstream.tsContinuityErrors ?? 0, nowMs);
  const lostRecently = lost.since(nowMs - RECENT_MS);
  const errorsRecently = errors.since(nowMs - RECENT_MS);
  const health = healthOf(upstream, lostRecently + errorsRecently);
  return { row: { upstream, health, lostRecently, errorsRecently }, lost, errors };
}

function healthOf({ lastDataMs, receiver }: ReadUpstream, missing: number): Health {
  if (lastDataMs !== undefined && lastDataMs < 0) return "starting";
  if (lastDataMs !== undefined && lastDataMs >= SILENCE_MS) {
    // Byte streams are held back when a client does not read: their silence alone proves nothing.
    return receiver === BYTE_STREAM ? "waiting" : "silent";
  }
  return missing > 0 ? "losing" : "steady";
}
