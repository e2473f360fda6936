/** The processes that workers have started: a worker that is killed cannot end them, so we do (status.md section 8). */
import { readFileSync } from "node:fs";
import type { FromWorker } from "../worker/messages.ts";

/** Of `/proc/PID/stat`, behind the name, which may contain anything but this (proc(5)). */
const NAME_END = ") ";
/** `starttime`, counted from the first word behind the name. */
const START_WORD = 19;

export class HelperProcesses {
  /** By worker: when each of its processes was started, as the kernel counts it. */
  readonly #helpers = new Map<number, Map<number, string>>();

  take(worker: number, { pid, isRunning }: Extract<FromWorker, { kind: "helper" }>): void {
    const helpers = this.#helpers.get(worker) ?? new Map<number, string>();
    this.#helpers.set(worker, helpers);
    const startedAt = isRunning ? startTime(pid) : undefined;
    if (startedAt !== undefined) helpers.set(pid, startedAt);
    else helpers.delete(pid);
  }

  /** The worker is gone: ends what it has left. */
  end(worker: number): void {
    const helpers = this.#helpers.get(worker) ?? [];
    this.#helpers.delete(worker);
    for (const [pid, startedAt] of helpers) {
      // Its number may be another's by now.
      if (startTime(pid) === startedAt) kill(pid);
    }
  }
}

/** Undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(NAME_END) + NAME_END.length).split(" ")[START_WORD];
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
