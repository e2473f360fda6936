/** The worker's heartbeat: reads upstreams and writes clients in batches, and stands still while nothing streams. */

/** Something that wants the heartbeat. */
export interface Ticking {
  tick(now: number): void;
  /** How long the next beat may be away, in ms. */
  readonly tickMs: number;
}

/** The usual distance of two beats, measured: shorter ones cost more CPU, longer ones more latency than they save. */
export const USUAL_TICK_MS = 25;
/** Nobody is kept waiting longer. */
const LONGEST_TICK_MS = 50;
const LEAST_TICK_MS = 1;

export class Tick {
  readonly #members = new Set<Ticking>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #interval = 0;

  add(member: Ticking): void {
    this.#members.add(member);
    if (!this.#timer || member.tickMs < this.#interval) this.#run(Math.max(LEAST_TICK_MS, member.tickMs));
  }

  remove(member: Ticking): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#run(0);
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  #run(interval: number): void {
    if (interval === this.#interval) return;
    this.#interval = interval;
    clearInterval(this.#timer);
    this.#timer = interval === 0 ? undefined : setInterval(this.#beat, interval);
  }

  readonly #beat = (): void => {
    const now = performance.now();
    let interval = LONGEST_TICK_MS;
    for (const member of this.#members) {
      member.tick(now);
      if (member.tickMs < interval) interval = member.tickMs;
    }
    if (this.#members.size > 0) this.#run(Math.max(LEAST_TICK_MS, interval));
  };
}
