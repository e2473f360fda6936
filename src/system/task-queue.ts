/** Asynchronous work whose failure is reported and stops nothing else: tasks in turn, and tasks that nobody waits for. */
import { errorReason } from "./errno.ts";
import type { Log } from "./log.ts";

export class TaskQueue {
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Runs `task` when all tasks before it are over. Resolves when it is over too, and never rejects.
   * @param what names the task in the log, should it fail
   */
  run(what: string, task: () => Promise<void> | void): Promise<void> {
    this.#last = this.#last.then(task).catch((error) => reportFailure(this.#log, what, error));
    return this.#last;
  }

  /** When all tasks so far are over. */
  get idle(): Promise<void> {
    return this.#last;
  }
}

/** Lets `task` go its way. An unhandled rejection would end the process. @param what names the task in the log, should it fail */
export function runDetached(log: Log, what: string, task: Promise<unknown>): void {
  task.catch((error) => reportFailure(log, what, error));
}

function reportFailure(log: Log, what: string, error: unknown): void {
  log.error(`${what} failed: ${errorReason(error)}`);
}
