/** The worker's heartbeat: lets each stream read and write when it is due, and stands still while nothing streams. */

/** Something that wants the heartbeat. */
export interface Ticking {
  tick(now: number): void;
  /** How long the next tick may be away, in ms. */
  readonly tickMs: number;
  /** Its tick has thrown. */
  failed(error: unknown): void;
}

/** The usual distance of two ticks, measured: shorter ones cost more CPU, longer ones more latency than they save. */
export const USUAL_TICK_MS = 25;
const LEAST_TICK_MS = 1;
/** The timer may fire a little early, and what is due a little later can as well come now. */
const EARLY_MS = 1;

export class Tick {
  /** When each is due, in ms of `performance.now()`. */
  readonly #dueAt = new Map<Ticking, number>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  add(member: Ticking): void {
    this.#plan(member, performance.now());
    this.#arm();
  }

  remove(member: Ticking): void {
    this.#dueAt.delete(member);
    if (this.#dueAt.size === 0) this.#arm();
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Lets a member tick at once; harmless when it is gone. */
  beat(member: Ticking): void {
    if (!this.#dueAt.has(member)) return;
    this.#run(member, performance.now());
    this.#arm();
  }

  readonly #beat = (): void => {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const [member, dueAt] of this.#dueAt) if (dueAt <= now + EARLY_MS) this.#run(member, now);
    this.#arm();
  };

  #run(member: Ticking, now: number): void {
    try {
      member.tick(now);
    } catch (error) {
      member.failed(error);
    }
    if (this.#dueAt.has(member)) this.#plan(member, now);
  }

  /** Members with the same interval are due together, whenever they came: one timer then serves them all. */
  #plan(member: Ticking, now: number): void {
    const interval = Math.max(LEAST_TICK_MS, member.tickMs);
    const next = Math.ceil((now + EARLY_MS) / interval) * interval;
    this.#dueAt.set(member, next);
  }

  #arm(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const dueAt of this.#dueAt.values()) if (dueAt < earliest) earliest = dueAt;
    if (earliest === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = earliest;
    const now = performance.now();
    this.#timer =
      earliest === Number.POSITIVE_INFINITY ? undefined : setTimeout(this.#beat, Math.max(1, earliest - now));
  }
}
