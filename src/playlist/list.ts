/** One list: where it comes from, its bytes as they came, and the copy of them that other workers read. */
import type { Log } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { runDetached } from "../system/task-queue.ts";
import type { M3uPlaylist } from "../wire/m3u/parser.ts";
import { type ListCopy, type LoadedList, readListCopy, writeListCopy } from "./loaded.ts";
import type { PlaylistSource } from "./source.ts";

export class List {
  /** Undefined for the inline list. */
  readonly url: string | undefined;
  /** For the log. */
  readonly name: string;
  /** Undefined for the inline list, and where another process loads. */
  source: PlaylistSource | undefined;
  readonly #log: Log;
  #bytes: Buffer | undefined;
  #base: string | undefined;
  /** Whether the log has been told what is wrong with it. */
  #isReported = false;
  #version = 0;
  /** What the others read. */
  #copy: ListCopy | undefined;

  constructor(url: string | undefined, log: Log) {
    this.url = url;
    this.name = url === undefined ? "inline" : shown(url);
    this.#log = log;
  }

  /** As it came; undefined until it has. */
  get bytes(): Buffer | undefined {
    return this.#bytes;
  }

  /** Counts what has come: something newer overtakes what is still being read. */
  get version(): number {
    return this.#version;
  }

  /** What its relative URLs are relative to; undefined for the inline list. */
  get base(): string | undefined {
    return this.#base;
  }

  /** @param isReported whether the log of another process tells what is wrong with it */
  take(bytes: Buffer, base: string | undefined, isReported: boolean): void {
    this.#version++;
    this.#bytes = bytes;
    this.#base = base;
    this.#isReported = isReported;
  }

  /**
   * Reads what another process has loaded.
   * @returns undefined when there is something newer
   * @throws when it cannot be read
   */
  async read(loaded: LoadedList): Promise<Buffer | undefined> {
    const version = ++this.#version;
    const bytes = await readListCopy(loaded);
    return version === this.#version ? bytes : undefined;
  }

  /**
   * Makes a copy for the others, in place of the last one.
   * @throws PlaylistError `no-room`
   */
  async share(which: Pick<LoadedList, "url" | "base">, bytes: Buffer, directory: string): Promise<LoadedList> {
    const onMoved = (place: string) => this.#log.warn(`${this.name}: the copy for other workers is ${place}`);
    const copy = await writeListCopy(which, bytes, directory, onMoved);
    this.#closeCopy();
    this.#copy = copy;
    return copy.loaded;
  }

  /** Tells the log what is wrong with it, once. */
  report({ skipped, skippedCount }: M3uPlaylist, unrelayed: ReadonlyMap<string, number>): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { name } = this;
    const reasons = [...unrelayed].map(([reason, count]) => `${count} ${reason}`).join(", ");
    // A player goes to them past the relay, and perhaps in vain: told even to those who want to hear of errors only.
    if (reasons !== "") this.#log.error(`${name}: entries that are passed on and not relayed: ${reasons}`);
    const isFull = skipped.some(({ reason }) => reason === "too many entries");
    if (isFull) this.#log.error(`${name}: only its first entries are used: ${skippedCount} lines are left out`);
    if (skippedCount > 0) this.#log.info(`${name}: ${skippedCount} lines skipped`);
    for (const { reason, line } of skipped) this.#log.debug(`${reason} (${name}, line ${line})`);
    const untold = skippedCount - skipped.length;
    if (untold > 0) this.#log.debug(`${name}: ${untold} more lines were skipped`);
  }

  close(): void {
    this.source?.close();
    this.#closeCopy();
  }

  #closeCopy(): void {
    const copy = this.#copy;
    this.#copy = undefined;
    if (copy) runDetached(this.#log, `${this.name}: closing the copy for other workers`, copy.file.close());
  }
}
