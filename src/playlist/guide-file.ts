/** A programme guide on disk: compressed, in a file without a name, so that nothing is left when the process ends. */
import type { FileHandle } from "node:fs/promises";
import { openReference, referenceTo } from "../system/unnamed-file.ts";
import { CopyFile, type OnMoved, readPieces } from "./copy-file.ts";
import { PlaylistError } from "./errors.ts";
import type { GuideFacts, LoadedGuide } from "./loaded.ts";
import { type Chunks, collecting, gunzip, gzip, isGzip, limited, peek } from "./streams.ts";

/** Of a compressed file. Temporary files are memory on many routers. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Guides shrink to a tenth already at the fastest level. */
const COMPRESSION_LEVEL = 1;

export type GuideEncoding = "gzip" | "identity";

/** A guide on its way to a client. */
export interface GuideStream {
  /** Undefined when nobody knows before the end. */
  readonly bytes: number | undefined;
  /** To be read at once, or the guide may have been replaced. */
  readonly chunks: Chunks;
}

interface KeptFile {
  readonly handle: FileHandle;
  close(): Promise<void>;
}

export class GuideFile implements GuideFacts {
  readonly isGzip: boolean;
  readonly bytes: number;
  readonly md5: string;
  readonly fileBytes: number;
  readonly #file: KeptFile;
  #readers = 0;
  #isClosed = false;

  private constructor(file: KeptFile, { isGzip, bytes, md5, fileBytes }: GuideFacts) {
    this.#file = file;
    this.isGzip = isGzip;
    this.bytes = bytes;
    this.md5 = md5;
    this.fileBytes = fileBytes;
  }

  /**
   * Keeps what `chunks` delivers, as gzip.
   * @param directory for the file, which has no name any more when this returns
   * @param onMoved when the file is not there, for want of room
   * @throws PlaylistError `too-large`, `no-room`, or what `chunks` throws
   */
  static async write(chunks: Chunks, directory: string, onMoved: OnMoved = () => {}): Promise<GuideFile> {
    const { head, chunks: all } = await peek(chunks, 2);
    const meter = new Meter(all);
    const packed = isGzip(head) ? meter.chunks() : gzip(meter.chunks(), COMPRESSION_LEVEL);
    const file = await CopyFile.create(directory, onMoved);
    try {
      for await (const piece of limited(packed, MAX_FILE_BYTES)) await file.write(piece);
      const { bytes, hash } = meter;
      return new GuideFile(file, { isGzip: isGzip(head), bytes, md5: hash.digest("hex"), fileBytes: file.bytes });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads what another process keeps.
   * @returns undefined when it has been replaced by a newer one
   * @throws when the file of another process cannot be opened
   */
  static async adopt(guide: NonNullable<LoadedGuide["guide"]>): Promise<GuideFile | undefined> {
    const handle = await openReference(guide.file);
    return handle && new GuideFile({ handle, close: () => handle.close() }, guide);
  }

  /** What another process may `adopt` while this one is open. */
  get loaded(): NonNullable<LoadedGuide["guide"]> {
    const { isGzip, bytes, md5, fileBytes } = this;
    return { isGzip, bytes, md5, fileBytes, file: referenceTo(this.#file.handle) };
  }

  /** Undefined for a plain guide as gzip: it is published as it came. */
  open(encoding: GuideEncoding): GuideStream | undefined {
    if (encoding === "identity") return { bytes: this.isGzip ? undefined : this.bytes, chunks: this.plain() };
    return this.isGzip ? { bytes: this.bytes, chunks: this.#read() } : undefined;
  }

  /** The document itself. */
  plain(): Chunks {
    return gunzip(this.#read());
  }

  /** The disk space is free again as soon as nobody reads. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeUnused();
  }

  /** Closes one that nobody has been given: whoever has begun to look at it may have left off without a word. */
  discard(): void {
    this.#isClosed = true;
    this.#readers = 0;
    this.#closeUnused();
  }

  async *#read(): Chunks {
    if (this.#isClosed) throw new PlaylistError("no-room", "The guide has been replaced");
    this.#readers++;
    try {
      yield* readPieces(this.#file.handle, 0, this.fileBytes);
    } finally {
      this.#readers--;
      this.#closeUnused();
    }
  }

  #closeUnused(): void {
    if (!this.#isClosed || this.#readers > 0) return;
    // All of it has been written and read: a failure loses nothing, and nobody could mend it.
    this.#file.close().catch(() => {});
  }
}

/** Counts and hashes what goes through. */
class Meter {
  bytes = 0;
  readonly hash = new Bun.CryptoHasher("md5");
  readonly #chunks: Chunks;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  async *chunks(): Chunks {
    for await (const chunk of collecting(this.#chunks)) {
      this.bytes += chunk.length;
      this.hash.update(chunk);
      yield chunk;
    }
  }
}
