/** Keys that the demo offers on a terminal: one opens the player in a browser, one ends the demo. */

import { readFileSync } from "node:fs";

/** What is read and written; `process.stdin` and `process.stdout` are. */
interface Terminal {
  readonly stdin: {
    readonly isTTY?: boolean;
    setRawMode(isRaw: boolean): unknown;
    on(event: "data", listener: (keys: Uint8Array) => void): unknown;
    resume(): unknown;
  };
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown };
  /** A job in the background must leave the terminal alone, or it is stopped. */
  readonly isForeground: boolean;
}

interface KeyActions {
  open(): void;
  quit(): void;
}

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const OPENERS = ["xdg-open", "open"];

/** Says which keys there are, and heeds them; does nothing unless both ends are a terminal. Answers how to give the terminal back. */
export function offerKeys({ stdin, stdout, isForeground }: Terminal, { open, quit }: KeyActions): () => void {
  if (!stdin.isTTY || !stdout.isTTY || !isForeground) return () => {};
  stdout.write("Press o to open the player in a browser, q to quit\n\n");
  // Keys come at once, but Ctrl-C as a key like any other, too.
  stdin.setRawMode(true);
  stdin.on("data", (keys) => {
    for (const key of Buffer.from(keys).toString("latin1")) {
      if (key === "o") open();
      else if (key === "q" || key === CTRL_C || key === CTRL_D) quit();
    }
  });
  stdin.resume();
  return () => void stdin.setRawMode(false);
}

/** Opens a URL with the system's browser. False when there is no program for it. */
export function openInBrowser(url: string, which: (program: string) => string | null = Bun.which): boolean {
  const opener = OPENERS.map((name) => which(name)).find((path) => path !== null);
  if (opener === undefined) return false;
  // It may be the browser itself, which outlives us.
  Bun.spawn([opener, url], { stdio: ["ignore", "ignore", "ignore"], detached: true }).unref();
  return true;
}

/** Whether the terminal's foreground process group is ours (proc_pid_stat(5)). */
export function isForegroundProcess(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const [, , processGroup, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return processGroup === foreground;
  } catch {
    return true;
  }
}
