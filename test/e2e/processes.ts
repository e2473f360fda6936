/** What /proc tells about the processes of one group: who they are, their memory, their open files. */

import { readdir, readFile } from "node:fs/promises";

/** Returns the living processes (no zombies) of a process group, lowest id first. */
export async function groupMembers(group: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const states = await Promise.all(pids.map(async (pid) => ({ pid, stat: await readProc(pid, "stat") })));
  return states.filter(({ stat }) => isMember(stat, group)).map(({ pid }) => pid);
}

/** Sends `signal` to all processes of a group; does nothing if none is left. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Resident memory of all `pids`, in bytes. Of a page that several processes share, each has its part (proc_pid_smaps(5)). */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  const maps = await Promise.all(pids.map((pid) => readProc(pid, "smaps_rollup")));
  return maps.reduce((sum, text) => sum + Number(/^Pss:\s*(\d+)/m.exec(text)?.[1] ?? 0), 0) * 1024;
}

/** Resident memory of all `pids` that no file backs, in bytes: heap, stacks, buffers. */
export async function anonymousBytes(pids: readonly number[]): Promise<number> {
  return (await sumOfStatus(pids, "RssAnon")) * 1024;
}

/** How often the main threads of all `pids` have gone to sleep and were woken again. */
export async function wakeUps(pids: readonly number[]): Promise<number> {
  return sumOfStatus(pids, "voluntary_ctxt_switches");
}

/** CPU time of a process in all, in seconds. Linux counts it in hundredths, whatever its own clock is (proc_pid_stat(5)). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readProc(pid, "stat");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}

/** Open file descriptors of all `pids`. */
export async function openFiles(pids: readonly number[]): Promise<number> {
  const counts = await Promise.all(
    pids.map((pid) =>
      readdir(`/proc/${pid}/fd`).then(
        (fds) => fds.length,
        () => 0,
      ),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Sums one numeric field of proc_pid_status(5). */
async function sumOfStatus(pids: readonly number[], field: string): Promise<number> {
  const statuses = await Promise.all(pids.map((pid) => readProc(pid, "status")));
  const pattern = new RegExp(`^${field}:\\s*(\\d+)`, "m");
  return statuses.reduce((sum, status) => sum + Number(pattern.exec(status)?.[1] ?? 0), 0);
}

/** Returns the empty string once the process is gone. */
function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}

/** Reads state and process group, which follow the name in parentheses (proc_pid_stat(5)). */
function isMember(stat: string, group: number): boolean {
  const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(processGroup) === group && state !== "Z" && state !== "X";
}
