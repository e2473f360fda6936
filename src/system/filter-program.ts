/** A program of the system that makes of the bytes of a file other bytes, which are read while it works. */
import { firstBytes, lowerPriority, type OnHelperProcess } from "./helper-process.ts";

const MAX_MESSAGE_BYTES = 4096;

interface FilterParts {
  /** Of the process, to the end of its output. */
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly onProcess: OnHelperProcess;
  readonly signal: AbortSignal;
}

/** The first of `commands` whose program is there. */
export function installed(commands: readonly (readonly string[])[]): readonly string[] | undefined {
  return commands.find(([program = ""]) => Bun.which(program, { PATH: process.env["PATH"] ?? "" }) !== null);
}

/**
 * It reads `fd` from where that stands, and waits while nobody reads; whoever stops reading ends it.
 * @throws Error with what the program said, when it failed or took too long
 */
export async function* filtered(fd: number, command: readonly string[], parts: FilterParts): AsyncIterable<Uint8Array> {
  const { timeoutMs, env, onProcess, signal } = parts;
  const over = new AbortController();
  const end = AbortSignal.any([signal, over.signal, AbortSignal.timeout(timeoutMs)]);
  const child = Bun.spawn([...command], {
    stdio: [fd, "pipe", "pipe"],
    env: { ...process.env, ...env },
    signal: end,
    killSignal: "SIGKILL",
    onExit: ({ pid }) => onProcess(pid, false),
  });
  onProcess(child.pid, true);
  lowerPriority(child.pid);
  const messages = firstBytes(child.stderr, MAX_MESSAGE_BYTES).catch(() => Buffer.alloc(0));
  try {
    yield* child.stdout;
    const status = await child.exited;
    signal.throwIfAborted();
    if (end.aborted) throw new Error(`${command[0]} has not ended within ${timeoutMs} ms`);
    if (status !== 0) throw new Error(`${`${await messages}`.trim() || `${command[0]} ended with ${status}`}`);
  } finally {
    over.abort();
  }
}
