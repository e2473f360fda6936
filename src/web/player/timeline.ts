/** The span of time that the timeline shows, and where in it a moment lies (status.md section 12). */
import type { Programme } from "./guide.ts";

/** Without a programme, what could be replayed lately. */
const DEFAULT_SPAN_MS = 3 * 3_600_000;

interface Timeline {
  readonly startMs: number;
  readonly endMs: number;
}

export function timelineOf(programme: Programme | undefined, nowMs: number): Timeline {
  return programme ?? { startMs: nowMs - DEFAULT_SPAN_MS, endMs: nowMs };
}

/** 0 to 1 */
export function shareAt({ startMs, endMs }: Timeline, ms: number): number {
  return Math.min(1, Math.max(0, (ms - startMs) / (endMs - startMs)));
}

/** The future cannot be sought: it becomes now. */
export function timeAt({ startMs, endMs }: Timeline, share: number, nowMs: number): number {
  const inside = Math.min(1, Math.max(0, share));
  return Math.min(nowMs, startMs + (endMs - startMs) * inside);
}
