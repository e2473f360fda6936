/** What a process is doing, as the kernel sees it. */
import { readFileSync } from "node:fs";

export interface ProcessState {
  /** Of its main thread: R runs or would, S sleeps, D waits for a disk or the like, T is stopped, t is traced (proc_pid_stat(5)). */
  readonly state: string;
  /** CPU time of its main thread so far. */
  readonly cpuMs: number;
}

/** Of USER_HZ, which programs see as 100 on every machine that Linux runs on. */
const MS_PER_TICK = 10;
/** Counted from the state on, which is the third field. */
const UTIME_INDEX = 11;

/** Undefined when there is no such process, or no /proc. */
export function processState(pid: number): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8");
    // The name in parentheses may have blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[UTIME_INDEX]) + Number(fields[UTIME_INDEX + 1]);
    return { state: fields[0] ?? "", cpuMs: ticks * MS_PER_TICK };
  } catch {
    return undefined;
  }
}
