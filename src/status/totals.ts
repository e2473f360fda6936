/** Counts that live as long as the service, in memory that all processes share: neither a crash nor a restart of a worker loses them. */
import type { SendMeter } from "../http/send-queue.ts";
import { TOTAL_NAMES, type Totals } from "../wire/status/event.ts";

/** From this size on it was the size that made a client's cursor write (`relay/stream.ts`). */
const FULL_WRITE_BYTES = 64 * 1024;

const NAMES_COUNT = TOTAL_NAMES.length;
const POSITIONS = Object.fromEntries(TOTAL_NAMES.map((name, at) => [name, at])) as Readonly<Totals>;

/** The counts of one worker, whichever process runs there. */
export class WorkerTotals {
  readonly #memory: Float64Array;
  readonly #start: number;

  /**
   * @param memory for `WorkerTotals.size` numbers; only the process of `worker` adds to that worker's
   * @param worker 0 or more
   */
  constructor(memory: Float64Array = new Float64Array(WorkerTotals.size(1)), worker = 0) {
    this.#memory = memory;
    this.#start = worker * NAMES_COUNT;
  }

  /** How many numbers that many workers need. */
  static size(workers: number): number {
    return workers * NAMES_COUNT;
  }

  /** The sum of what all workers have counted. */
  static sum(memory: Float64Array): Totals {
    return totalsBy((at) => {
      let sum = 0;
      for (let i = at; i < memory.length; i += NAMES_COUNT) sum += memory[i]!;
      return sum;
    });
  }

  get all(): Totals {
    return totalsBy((at) => this.#memory[this.#start + at]!);
  }

  add(name: keyof Totals, count: number): void {
    this.#memory[this.#start + POSITIONS[name]]! += count;
  }
}

/** What a worker has sent to media clients, counted with every write to a socket. */
export class SendCounts implements SendMeter {
  /** Calls, those of them that were not taken whole, and those because much was waiting; of this process. */
  total = 0;
  eagain = 0;
  batch = 0;
  readonly #totals: WorkerTotals;

  constructor(totals: WorkerTotals) {
    this.#totals = totals;
  }

  sent(offered: number, taken: number): void {
    this.total++;
    if (taken < offered) this.eagain++;
    if (offered >= FULL_WRITE_BYTES) this.batch++;
    this.#totals.add("bytesSent", taken);
  }
}

/** Adds to the totals what the counters of one client or upstream have counted since the last time. */
export class CountedShare {
  readonly #totals: WorkerTotals;
  readonly #added = new Map<string, number>();

  constructor(totals: WorkerTotals) {
    this.#totals = totals;
  }

  /** @param counts since the beginning */
  settle(counts: Partial<Totals>): void {
    for (const [name, count] of Object.entries(counts)) {
      const added = this.#added.get(name) ?? 0;
      // A counter that went back has begun anew.
      this.#totals.add(name as keyof Totals, count >= added ? count - added : count);
      this.#added.set(name, count);
    }
  }
}

function totalsBy(valueAt: (position: number) => number): Totals {
  return Object.fromEntries(TOTAL_NAMES.map((name, at) => [name, valueAt(at)])) as unknown as Totals;
}
