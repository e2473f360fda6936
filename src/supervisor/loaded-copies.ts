/** Keeps what one worker has loaded, so that the others can read it, and so that its end is not the end of the channels. */
import type { FileHandle } from "node:fs/promises";
import type { Loaded } from "../playlist/loaded.ts";
import { errorReason } from "../system/errno.ts";
import type { Log } from "../system/log.ts";
import { runDetached, TaskQueue } from "../system/task-queue.ts";
import { type FileReference, openReference, referenceTo } from "../system/unnamed-file.ts";

interface Copy {
  readonly loaded: Loaded;
  readonly handle: FileHandle;
}

/** There is one guide. */
const GUIDE = "guide";

export class LoadedCopies {
  readonly #log: Log;
  readonly #onKept: (loaded: Loaded) => void;
  /** Lists by their URLs, and the guide. */
  readonly #copies = new Map<string, Copy>();
  /** What comes is kept in its order. */
  readonly #tasks: TaskQueue;

  /** @param onKept is told what has come, for other processes to read from this one */
  constructor(log: Log, onKept: (loaded: Loaded) => void) {
    this.#log = log;
    this.#tasks = new TaskQueue(log);
    this.#onKept = onKept;
  }

  get all(): Loaded[] {
    return [...this.#copies.values()].map(({ loaded }) => loaded);
  }

  /** Opens the file of the worker that has loaded it. */
  keep(loaded: Loaded): void {
    this.#tasks.run("Keeping what worker 0 has loaded", () => this.#keep(loaded));
  }

  /** Lists from other URLs are not wanted any more. */
  dropAllBut(urls: readonly string[]): void {
    for (const key of this.#copies.keys()) if (key !== GUIDE && !urls.includes(key)) this.#drop(key);
  }

  close(): void {
    for (const key of this.#copies.keys()) this.#drop(key);
  }

  async #keep(loaded: Loaded): Promise<void> {
    const key = loaded.kind === "guide" ? GUIDE : loaded.url;
    const file = loaded.kind === "guide" ? loaded.guide?.file : loaded.file;
    let handle: FileHandle | undefined;
    try {
      handle = file && (await openReference(file));
    } catch (error) {
      this.#log.warn(`What worker 0 has loaded cannot be kept for the other workers: ${errorReason(error)}`);
    }
    // It has been replaced, or the worker has died: there will be something newer.
    if (file && !handle) return;
    const kept = handle ? withFile(loaded, referenceTo(handle)) : loaded;
    this.#onKept(kept);
    this.#drop(key);
    if (handle) this.#copies.set(key, { loaded: kept, handle });
  }

  #drop(key: string): void {
    const copy = this.#copies.get(key);
    if (copy) runDetached(this.#log, "Closing a file of worker 0", copy.handle.close());
    this.#copies.delete(key);
  }
}

function withFile(loaded: Loaded, file: FileReference): Loaded {
  if (loaded.kind === "list") return { ...loaded, file };
  return { ...loaded, guide: loaded.guide && { ...loaded.guide, file } };
}
