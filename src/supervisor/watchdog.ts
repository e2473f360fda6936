/** Finds workers that answer nothing any more (config.md section 9): each is asked a question that costs both sides next to nothing. */
import { type ProcessState, processState } from "../system/process-state.ts";

/** One timer for both: this long after a question comes the next one, or the first look at who has not answered. */
const ASK_INTERVAL_MS = 1500;
/** How often a worker is looked at from then on, and how often in a row it must be found so. */
const LOOK_INTERVAL_MS = 500;
const MOST_LOOKS = 4;
/** Beyond it, the machine or we ourselves stood still or had no time, and so perhaps did the workers. */
const LATE_MS = 500;
/** A worker that would run and gets no CPU does not hang. One in an endless loop has had this much since it was asked. */
const LOOP_CPU_MS = 2000;

interface WatchdogParent {
  /** Does nothing for a worker that is not running. */
  ask(worker: number): void;
  pidOf(worker: number): number;
  /** The worker has been given up. */
  hung(worker: number, unansweredMs: number): void;
}

export interface Clock {
  /** Monotonic; it may stand still while the machine sleeps. */
  now(): number;
  /** Calls `callback` once; the answer cancels that. */
  in(ms: number, callback: () => void): () => void;
  stateOf(pid: number): ProcessState | undefined;
}

const REAL: Clock = {
  now: () => performance.now(),
  in(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  stateOf: processState,
};

interface Question {
  readonly askedAt: number;
  /** How often it was found unanswered. */
  looks: number;
  cpuMs: number;
}

export class Watchdog {
  readonly #parent: WatchdogParent;
  readonly #clock: Clock;
  readonly #workers = new Set<number>();
  readonly #unanswered = new Map<number, Question>();
  #cancel: (() => void) | undefined;

  constructor(parent: WatchdogParent, clock = REAL) {
    this.#parent = parent;
    this.#clock = clock;
  }

  /** A worker has said that it serves. What takes its time to start is not watched. */
  ready(worker: number): void {
    this.#workers.add(worker);
    if (!this.#cancel) this.#wait(ASK_INTERVAL_MS);
  }

  answered(worker: number): void {
    this.#unanswered.delete(worker);
  }

  exited(worker: number): void {
    this.#workers.delete(worker);
    this.#unanswered.delete(worker);
  }

  /** Ends the timer. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#workers.clear();
    this.#unanswered.clear();
  }

  #wait(ms: number): void {
    const due = this.#clock.now() + ms;
    this.#cancel = this.#clock.in(ms, () => {
      this.#cancel = undefined;
      this.#look(this.#clock.now() - due > LATE_MS);
      if (this.#unanswered.size > 0) this.#wait(LOOK_INTERVAL_MS);
      else if (this.#workers.size > 0) this.#ask();
    });
  }

  #ask(): void {
    const askedAt = this.#clock.now();
    for (const worker of this.#workers) {
      const cpuMs = this.#clock.stateOf(this.#parent.pidOf(worker))?.cpuMs ?? 0;
      this.#unanswered.set(worker, { askedAt, looks: 0, cpuMs });
    }
    for (const worker of this.#workers) this.#parent.ask(worker);
    this.#wait(ASK_INTERVAL_MS);
  }

  #look(isLate: boolean): void {
    const now = this.#clock.now();
    for (const [worker, question] of [...this.#unanswered]) {
      const current = this.#clock.stateOf(this.#parent.pidOf(worker));
      if (isLate) {
        question.looks = 0;
        question.cpuMs = current?.cpuMs ?? 0;
      } else if (this.#isHanging(question, current)) {
        this.exited(worker);
        this.#parent.hung(worker, now - question.askedAt);
      }
    }
  }

  #isHanging(question: Question, current: ProcessState | undefined): boolean {
    // Whoever has it in a debugger, or waits for its disk or for memory to be swapped in, can wait longer.
    if (current?.state === "t" || current?.state === "D") return false;
    if (++question.looks < MOST_LOOKS) return false;
    return current?.state !== "R" || current.cpuMs - question.cpuMs >= LOOP_CPU_MS;
  }
}
