/** The body of an upstream's response as a byte source: it ends where its framing says (RFC 9112 section 6.3). */
import type { Memory } from "../../system/memory.ts";
import { ChunkedDecoder, type ChunkSink } from "../../wire/http/chunked.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";

/** Each byte of chunks is looked at: so many take a millisecond or two. */
const CHUNKED_READ_BYTES = 64 * 1024;

/** A source of bytes that is read only when asked. */
export interface ByteSource {
  /**
   * Reads at most `length` bytes to a place in memory.
   * @returns how many; 0 when none are there now; -1 when it is over
   */
  read(into: Memory, offset: number, length: number): number;
  /** Asks for the event `readable`, when bytes have come or it is over. Nothing is read until then. */
  waitReadable(): void;
  /** About how many bytes are sent to us before we read: then whoever sends has to stop. */
  readonly window: number;
}

/** Bytes that are all there. */
export class MemorySource implements ByteSource {
  readonly window = Number.POSITIVE_INFINITY;
  readonly #pieces: readonly Uint8Array[];
  /** The next byte: of which piece, and where in it. */
  #piece = 0;
  #at = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
  }

  read(into: Memory, offset: number, length: number): number {
    let count = 0;
    for (let piece = this.#pieces[this.#piece]; piece && count < length; piece = this.#pieces[this.#piece]) {
      const part = piece.subarray(this.#at, this.#at + length - count);
      into.bytes.set(part, offset + count);
      count += part.length;
      this.#at += part.length;
      if (this.#at < piece.length) break;
      this.#piece++;
      this.#at = 0;
    }
    return count === 0 ? -1 : count;
  }

  waitReadable(): void {}
}

/** Passes a body through as it comes, chunks and all unless `isBare`, and sees its end. */
export class BodySource implements ByteSource, ChunkSink {
  /** True when the end that the framing promises has been read; a body until close is always complete. */
  isComplete: boolean;
  readonly #source: ByteSource;
  /** Bytes to come; undefined when only the bytes themselves tell. */
  #left: number | undefined;
  #chunks: ChunkedDecoder | undefined;
  readonly #isBare: boolean;
  /** Where the next data of chunks is to be, in the bytes that are being read. */
  #dataEnd = 0;

  /** @param isBare only what the chunks hold is wanted */
  constructor(source: ByteSource, framing: BodyFraming, isBare = false) {
    this.#source = source;
    this.#isBare = isBare;
    this.#left = framing.kind === "length" ? framing.length : framing.kind === "none" ? 0 : undefined;
    this.#chunks = framing.kind === "chunked" ? new ChunkedDecoder() : undefined;
    this.isComplete = framing.kind === "none" || framing.kind === "until-close";
  }

  read(into: Memory, offset: number, length: number): number {
    if (this.#left === 0) return -1;
    const most = this.#left ?? (this.#chunks ? CHUNKED_READ_BYTES : length);
    const count = this.#source.read(into, offset, Math.min(length, most));
    if (count <= 0) return count;
    if (this.#left !== undefined) {
      this.#left -= count;
      if (this.#left === 0) this.isComplete = true;
    } else if (this.#chunks) {
      const piece = into.bytes.subarray(offset, offset + count);
      if (!this.#isBare) return this.#readChunks(piece, this.#chunks);
      return this.#readData(piece, this.#chunks);
    }
    return count;
  }

  /** Data moves to the front of what was read. */
  chunkData(piece: Uint8Array, start: number, length: number): void {
    piece.copyWithin(this.#dataEnd, start, start + length);
    this.#dataEnd += length;
  }

  waitReadable(): void {
    this.#source.waitReadable();
  }

  get window(): number {
    return this.#source.window;
  }

  /** What is no longer understood is the end. */
  #readData(piece: Uint8Array, chunks: ChunkedDecoder): number {
    this.#dataEnd = 0;
    chunks.push(piece, this);
    if (chunks.status !== "open") this.#left = 0;
    this.isComplete = chunks.status === "complete";
    return this.#dataEnd === 0 && this.#left === 0 ? -1 : this.#dataEnd;
  }

  /** Bytes behind the last chunk are not the body's, and a body that is no longer understood ends with its connection. */
  #readChunks(piece: Uint8Array, chunks: ChunkedDecoder): number {
    const belongs = chunks.push(piece);
    if (chunks.status === "complete") {
      this.isComplete = true;
      this.#left = 0;
      return belongs;
    }
    if (chunks.status === "failed") this.#chunks = undefined;
    return piece.length;
  }
}
