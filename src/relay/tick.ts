/** The worker's heartbeat: reads upstreams and writes clients in batches, and stands still while nothing streams. */

/** Something that wants the heartbeat. */
export interface Ticking {
  tick(now: number): void;
  /** Wants the quicker heartbeat, because somebody waits for a first picture. */
  readonly isEager: boolean;
}

const TICK_MS = 10;
const EAGER_TICK_MS = 2;

export class Tick {
  readonly #members = new Set<Ticking>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #interval = 0;

  add(member: Ticking): void {
    this.#members.add(member);
    this.#run(member.isEager || this.#interval === EAGER_TICK_MS ? EAGER_TICK_MS : TICK_MS);
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
    let eager = false;
    for (const member of this.#members) {
      member.tick(now);
      if (member.isEager) eager = true;
    }
    if (this.#members.size > 0) this.#run(eager ? EAGER_TICK_MS : TICK_MS);
  };
}
