/** One worker's slot: the process that fills it now, and when it may be filled again (config.md section 9). */
import { constants } from "node:os";
import { errorReason } from "../system/errno.ts";
import type { Log } from "../system/log.ts";
import type { FromWorker, StartMessage, ToWorker } from "../worker/messages.ts";

/** The restart limit: more restarts within this time have to wait. */
const MOST_RESTARTS = 3;
const RESTARTS_WITHIN_MS = 5000;
/** How long a worker may take to end before it is killed. */
export const STOP_TIMEOUT_MS = 5000;
/**
 * How long our own signal is awaited when a worker has ended as after a SIGTERM that we have not sent: to a whole group, the
 * signal reaches workers before a supervisor that is busy, and then there is nothing to restart.
 */
const OWN_SIGNAL_WAIT_MS = 50;

/**
 * By default the runtime looks for garbage every second, which costs a relay that makes hardly any a third of its CPU. What
 * matters, the memory of streams, is asked for and given back at its own moments.
 */
const GARBAGE_LOOK_INTERVAL_MS = 30_000;

/** What the runtime of a worker reads from its environment only, when it starts. */
const WORKER_ENVIRONMENT: Readonly<Record<string, string>> = {
  BUN_GC_TIMER_INTERVAL: String(GARBAGE_LOOK_INTERVAL_MS),
  // When the first tier of the compiler looks at a function, and when the second last one does, in its own count of calls and loops (usually 500
  // and 1000): what only a change of channel runs would be compiled for more CPU than that ever saves; a packet's way gets there in seconds.
  BUN_JSC_thresholdForJITAfterWarmUp: "2000",
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "10000",
};

export interface WorkerSlotParent {
  readonly log: Log;
  /** How to start a worker: the command, descriptors to hand down as 3, 4, …, and the first message. */
  launch(id: number): {
    readonly command: string[];
    readonly descriptors: readonly number[];
    readonly start: StartMessage;
  };
  received(id: number, message: FromWorker): void;
  /** The process of this slot is gone; called before it is replaced. A death is what nobody wanted. */
  exited(id: number, pid: number, isDeath: boolean): void;
}

/** Bun's types say that it may be either. */
type Signal = number | NodeJS.Signals;
type Process = Bun.Subprocess<"ignore", "inherit", "inherit">;

export class WorkerSlot {
  readonly id: number;
  readonly #parent: WorkerSlotParent;
  /**
   * `renewing` and `retiring` have been told to end: to make room for another, or for good. `ended` has ended by itself, without
   * a fault, and waits for what it may have been told to; `limited` has crashed too often and waits. `over` is empty and
   * stays so unless it is filled again.
   */
  #state: "up" | "renewing" | "retiring" | "ended" | "limited" | "over" = "up";
  #process: Process | undefined;
  #timer: Timer | undefined;
  /** When the last crashes were answered with a restart. */
  #restartedAt: number[] = [];
  #over = Promise.withResolvers<void>();

  constructor(id: number, parent: WorkerSlotParent) {
    this.id = id;
    this.#parent = parent;
    this.#fill();
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Of the process that runs here now; 0 while none does. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Does nothing when the process has ended or is about to. */
  send(message: ToWorker): void {
    if (this.#state !== "up") return;
    try {
      this.#process?.send(message);
    } catch {
      // Its exit is on the way to us.
    }
  }

  /** Ends the process that answers nothing; it is replaced like one that has crashed. */
  kill(): void {
    if (this.#state === "up") this.#process?.kill("SIGKILL");
  }

  /** Replaces the process by a new one. */
  renew(): void {
    if (this.#state === "up") this.#end("renewing");
  }

  /** Ends the process for good; the answer comes when it is gone. Harmless when repeated. */
  retire(): Promise<void> {
    if (this.#state === "ended" || this.#state === "limited") this.#finish();
    else if (this.#state === "renewing") this.#state = "retiring";
    else if (this.#state === "up") this.#end("retiring");
    return this.#over.promise;
  }

  /** Fills a retired slot again, as soon as its old process is gone: two at a time would count as one. */
  refill(): void {
    if (this.#state === "retiring") this.#state = "renewing";
    if (this.#state !== "over") return;
    this.#over = Promise.withResolvers();
    this.#fill();
  }

  #end(state: "renewing" | "retiring"): void {
    this.#state = state;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#process?.kill("SIGKILL"), STOP_TIMEOUT_MS);
    this.#process?.kill("SIGTERM");
  }

  #spawn(): void {
    const { command, descriptors, start } = this.#parent.launch(this.id);
    this.#process = Bun.spawn(command, {
      stdio: ["ignore", "inherit", "inherit", ...descriptors],
      env: { ...process.env, ...WORKER_ENVIRONMENT },
      serialization: "advanced",
      ipc: (message) => this.#parent.received(this.id, message as FromWorker),
      onExit: ({ pid }, status, signal) => this.#exited(pid, status, signal),
    }) as Process;
    this.#parent.log.info(`Spawned worker ${this.id} with pid ${this.#process.pid}`);
    this.send(start);
  }

  #exited(pid: number, status: number | null, signal: Signal | null): void {
    const { log } = this.#parent;
    this.#process = undefined;
    clearTimeout(this.#timer);
    const end = signal === null ? `exited with status ${status}` : `killed by signal ${signalNumber(signal)}`;
    const how = `Worker ${this.id} (pid ${pid}) ${end}`;
    if (this.#state === "up" || signal === "SIGKILL") log.warn(how);
    else log.info(how);
    this.#parent.exited(this.id, pid, this.#state === "up" && status !== 0);
    if (this.#state === "retiring") this.#finish();
    else if (this.#state === "renewing") this.#restart();
    else if (status === 0) this.#restartUnlessRetired();
    else this.#restartWithinLimit();
  }

  #restartUnlessRetired(): void {
    this.#state = "ended";
    this.#timer = setTimeout(() => this.#restartWithinLimit(), OWN_SIGNAL_WAIT_MS);
  }

  #restartWithinLimit(): void {
    const now = performance.now();
    this.#restartedAt = this.#restartedAt.filter((at) => now - at < RESTARTS_WITHIN_MS);
    const [oldest] = this.#restartedAt;
    if (oldest === undefined || this.#restartedAt.length < MOST_RESTARTS) {
      this.#restartedAt.push(now);
      this.#restart();
      return;
    }
    this.#state = "limited";
    const { log } = this.#parent;
    log.error(
      `Worker ${this.id} restart rate limited (${MOST_RESTARTS} restarts in ${RESTARTS_WITHIN_MS / 1000} seconds)`,
    );
    this.#timer = setTimeout(
      () => {
        this.#restartedAt = [...this.#restartedAt.slice(1), performance.now()];
        log.info(`Rate limit expired, restarting worker ${this.id}`);
        this.#fill();
      },
      oldest + RESTARTS_WITHIN_MS - now,
    );
  }

  #restart(): void {
    this.#parent.log.info(`Restarting worker ${this.id}`);
    this.#fill();
  }

  #fill(): void {
    this.#state = "up";
    try {
      this.#spawn();
    } catch (error) {
      this.#parent.log.error(`Cannot start worker ${this.id}: ${errorReason(error)}`);
      this.#restartWithinLimit();
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#state = "over";
    this.#over.resolve();
  }
}

function signalNumber(signal: Signal): number {
  return typeof signal === "number" ? signal : constants.signals[signal];
}
