/** Where copies of what was loaded are kept: in the temporary folder, where they do not fit there in another one, else in memory. */
import type { FileHandle } from "node:fs/promises";
import { errorReason } from "../system/errno.ts";
import { createMemoryFile, createUnnamedFile } from "../system/unnamed-file.ts";
import { PlaylistError } from "./errors.ts";

const OTHER_FOLDERS = ["/var/tmp"];
/** Of all copies of a process that no folder has room for, the old ones included that new ones are to replace. */
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

let memoryBytes = 0;

/** Is told why a copy is not where it should be. */
export type OnMoved = (reason: string) => void;

/** A file without a name that is written once, from beginning to end. */
export class CopyFile {
  bytes = 0;
  #handle: FileHandle;
  /** Where to go on when there is no room here. */
  #others: readonly string[];
  readonly #onMoved: OnMoved;
  readonly #reasons: string[];
  /** Undefined: memory. */
  #folder: string | undefined;
  /** Of `memoryBytes`. */
  #reservedBytes = 0;

  private constructor(place: Place, reasons: string[], onMoved: OnMoved) {
    this.#handle = place.handle;
    this.#others = place.others;
    this.#folder = place.folder;
    this.#reasons = reasons;
    this.#onMoved = onMoved;
  }

  /** @throws PlaylistError `no-room` */
  static async create(folder: string, onMoved: OnMoved, others = OTHER_FOLDERS): Promise<CopyFile> {
    const reasons: string[] = [];
    const place = await openPlace([folder, ...others.filter((other) => other !== folder)], reasons);
    if (reasons.length > 0) onMoved(movedTo(place, reasons));
    return new CopyFile(place, reasons, onMoved);
  }

  /** Changes while it is written. */
  get handle(): FileHandle {
    return this.#handle;
  }

  /** @throws PlaylistError `no-room` */
  async write(piece: Uint8Array): Promise<void> {
    for (;;) {
      if (this.#folder === undefined) this.#reserve(piece.length);
      try {
        await writeAll(this.#handle, piece, this.bytes);
        this.bytes += piece.length;
        return;
      } catch (error) {
        this.#reasons.push(`${this.#folder ?? "memory"}: ${errorReason(error)}`);
        if (this.#folder === undefined) throw noRoom(this.#reasons);
        await this.#move();
      }
    }
  }

  async close(): Promise<void> {
    memoryBytes -= this.#reservedBytes;
    this.#reservedBytes = 0;
    await this.#handle.close();
  }

  /** Takes along what is written. */
  async #move(): Promise<void> {
    for (;;) {
      const place = await openPlace(this.#others, this.#reasons);
      this.#others = place.others;
      try {
        if (place.folder === undefined) this.#reserve(this.bytes);
        await copy(this.#handle, place.handle, this.bytes);
      } catch (error) {
        await place.handle.close();
        if (error instanceof PlaylistError) throw error;
        this.#reasons.push(`${place.folder ?? "memory"}: ${errorReason(error)}`);
        if (place.folder === undefined) throw noRoom(this.#reasons);
        continue;
      }
      await this.#handle.close();
      this.#handle = place.handle;
      this.#folder = place.folder;
      this.#onMoved(movedTo(place, this.#reasons));
      return;
    }
  }

  #reserve(bytes: number): void {
    if (memoryBytes + bytes > MAX_MEMORY_BYTES) {
      throw noRoom([...this.#reasons, `memory for such copies is ${MAX_MEMORY_BYTES} bytes`]);
    }
    memoryBytes += bytes;
    this.#reservedBytes += bytes;
  }
}

interface Place {
  readonly handle: FileHandle;
  /** Undefined: memory. */
  readonly folder: string | undefined;
  /** What may be tried after this one. */
  readonly others: readonly string[];
}

/** The first folder that takes a file, or memory. Adds to `reasons` why not another one. */
async function openPlace(folders: readonly string[], reasons: string[]): Promise<Place> {
  for (const [i, folder] of folders.entries()) {
    try {
      return { handle: await createUnnamedFile(folder), folder, others: folders.slice(i + 1) };
    } catch (error) {
      reasons.push(`${folder}: ${errorReason(error)}`);
    }
  }
  try {
    return { handle: await createMemoryFile(), folder: undefined, others: [] };
  } catch (error) {
    throw noRoom([...reasons, errorReason(error)]);
  }
}

function movedTo({ folder = "memory" }: Place, reasons: readonly string[]): string {
  return `kept in ${folder} (${reasons.join("; ")})`;
}

function noRoom(reasons: readonly string[]): PlaylistError {
  return new PlaylistError("no-room", `No room for it: ${reasons.join("; ")}`);
}

async function writeAll(handle: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    done += (await handle.write(piece, done, piece.length - done, position + done)).bytesWritten;
  }
}

async function copy(from: FileHandle, to: FileHandle, bytes: number): Promise<void> {
  let at = 0;
  for await (const piece of readPieces(from, 0, bytes)) {
    await writeAll(to, piece, at);
    at += piece.length;
  }
  if (at < bytes) throw new Error("what was written cannot be read");
}

/** What is there of it, each piece in memory of its own. */
export async function* readPieces(handle: FileHandle, from: number, to: number): AsyncIterable<Buffer> {
  for (let at = from; at < to; ) {
    const room = Math.min(PIECE_BYTES, to - at);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(room), 0, room, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
