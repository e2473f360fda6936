/** All Unix sockets that the supervisor listens on, and how a reload changes them (config.md sections 8 and 11). */
import type { Log } from "./log.ts";
import {
  closeUnixListener,
  isInPlace,
  openUnixListener,
  type UnixListener,
  UnixSocketError,
  unixPathProblem,
} from "./unix-socket.ts";

const MAX_LISTENERS = 32;

/** A change of the listeners that can still be taken back. Call one of the two, once. */
interface UnixListenersChange {
  /** Closes the sockets that are no longer wanted and removes their files. */
  commit(): void;
  /** Closes the new sockets; the old ones have been listening all the time. */
  rollback(): void;
}

export class UnixListeners {
  readonly #log: Log;
  #open: readonly UnixListener[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** In the order of their paths. */
  get all(): readonly UnixListener[] {
    return this.#open;
  }

  /**
   * Listens on the new ones among `paths`; a path that still leads to our socket keeps it.
   * @throws UnixSocketError and leaves everything as it was
   */
  prepare(paths: readonly string[]): UnixListenersChange {
    refuseImpossible(paths);
    const before = this.#open;
    const after: UnixListener[] = [];
    const rollback = () => closeAllBut(before, after);
    try {
      for (const path of paths) after.push(this.#keep(path) ?? this.#listen(path));
    } catch (error) {
      rollback();
      throw error;
    }
    const commit = () => {
      this.#open = after;
      closeAllBut(after, before);
    };
    return { commit, rollback };
  }

  /** Closes all of them and removes their files. */
  close(): void {
    this.prepare([]).commit();
  }

  #keep(path: string): UnixListener | undefined {
    const kept = this.#open.find((listener) => listener.path === path && isInPlace(listener));
    if (kept) this.#log.info(`Keeping Unix socket listener ${path}`);
    return kept;
  }

  #listen(path: string): UnixListener {
    const listener = openUnixListener(path);
    this.#log.info(`Listening on Unix socket ${path}`);
    return listener;
  }
}

function closeAllBut(wanted: readonly UnixListener[], listeners: readonly UnixListener[]): void {
  for (const listener of listeners) if (!wanted.includes(listener)) closeUnixListener(listener);
}

function refuseImpossible(paths: readonly string[]): void {
  const problem = unixListenersProblem(paths);
  if (problem) throw problem;
}

/** Why these sockets can never be made together, wherever the program runs; undefined when they may. */
export function unixListenersProblem(paths: readonly string[]): UnixSocketError | undefined {
  if (paths.length > MAX_LISTENERS) {
    return new UnixSocketError("too-many", `Too many Unix socket listeners (max ${MAX_LISTENERS})`);
  }
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) return new UnixSocketError("duplicate", `Duplicate Unix socket listener path: ${twice}`);
  return paths.map(unixPathProblem).find((problem) => problem !== undefined);
}
