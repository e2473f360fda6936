/** Media time that follows the wall clock, and after a late timer catches up smoothly instead of in one burst. */

const TICKS_PER_MS = 90;

/** The most that one call of `advance` adds: four times real time when it is called every 10 ms. */
const MAX_STEP_MS = 40;

/** What is not caught up within this much, say after a suspend, is left out: the media simply start late. */
const MAX_BACKLOG_MS = 250;

export class PaceClock {
  private lastMs: number;
  private backlogMs = 0;
  private mediaMs = 0;

  /** `nowMs` is the reading of a clock that never goes back. */
  constructor(nowMs: number) {
    this.lastMs = nowMs;
  }

  /** The media time at `nowMs`, in 90 kHz ticks since the start; never decreasing. */
  advance(nowMs: number): number {
    this.backlogMs = Math.min(MAX_BACKLOG_MS, this.backlogMs + nowMs - this.lastMs);
    this.lastMs = nowMs;
    const stepMs = Math.min(MAX_STEP_MS, this.backlogMs);
    this.backlogMs -= stepMs;
    this.mediaMs += stepMs;
    return this.mediaMs * TICKS_PER_MS;
  }
}
