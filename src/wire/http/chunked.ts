/** The chunked transfer coding (RFC 9112 section 7.1), read without copying (http-proxy.md sections 4 and 6). */

/** A chunk's size with its extensions and line end. */
const MAX_SIZE_LINE_BYTES = 4096;
/** All lines behind the last chunk, the empty one included. */
const MAX_TRAILER_BYTES = 8192;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const LOWER_X = 0x78;
const DELETE = 0x7f;
const CRLF_BYTES = 2;

/** Gets the data of chunks: `length` bytes of `piece` from `start`. They are not copied, so use them at once. */
export interface ChunkSink {
  chunkData(piece: Uint8Array, start: number, length: number): void;
}

type State =
  | "size-start"
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer"
  | "trailer-lf"
  | "end-lf"
  | "complete"
  | "failed";

/**
 * Takes a chunked body in pieces of any size; how it is cut does not change what it finds. It reads what players read: a line
 * may end in a bare LF, a size may have blanks or `0x` before it, and what stands behind it does not count. Sizes are hex digits below 2^53. Who only relays the body may go on
 * after `failed` and let the upstream's close end it.
 */
export class ChunkedDecoder {
  #state: State = "size-start";
  /** Bytes of the chunk that are still to come. */
  #remaining = 0;
  /** Bytes that the current line, or all the trailer, may still have. */
  #allowed = MAX_SIZE_LINE_BYTES;

  get status(): "open" | "complete" | "failed" {
    return this.#state === "complete" || this.#state === "failed" ? this.#state : "open";
  }

  /** All data that was announced has come: the end of the connection may stand for the last chunk, or the lines behind it. */
  get isBetweenChunks(): boolean {
    return this.#state !== "data" && this.#state !== "failed" && this.#remaining === 0;
  }

  /**
   * Answers how many bytes of the piece belong to the body: all of them while `status` is `open`, none when it was over
   * before; when it failed, the last one is the wrong one.
   */
  push(piece: Uint8Array, sink?: ChunkSink): number {
    let at = 0;
    while (at < piece.length && this.status === "open") {
      if (this.#state === "data") at += this.#takeData(piece, at, sink);
      else this.#state = this.#step(piece[at++]!);
    }
    return at;
  }

  #takeData(piece: Uint8Array, start: number, sink: ChunkSink | undefined): number {
    const length = Math.min(piece.length - start, this.#remaining);
    this.#remaining -= length;
    if (this.#remaining === 0) this.#state = "data-cr";
    sink?.chunkData(piece, start, length);
    return length;
  }

  /** The state after a byte that is not data. */
  #step(byte: number): State {
    if (this.#allowed-- === 0) return "failed";
    switch (this.#state) {
      case "size-start":
        return isBlank(byte) ? "size-start" : this.#addDigit(byte);
      case "size":
        if (isLineEnd(byte)) return this.#endOfSize(byte);
        if (hexDigit(byte) >= 0) return this.#addDigit(byte);
        if (this.#remaining === 0 && (byte | 0x20) === LOWER_X) return "size-start";
        return isText(byte) ? "extension" : "failed";
      case "extension":
        if (isLineEnd(byte)) return this.#endOfSize(byte);
        return isText(byte) ? "extension" : "failed";
      case "size-lf":
        return byte === LF ? this.#endSizeLine() : "failed";
      case "data-cr":
        if (byte === LF) return this.#endData();
        return byte === CR ? "data-lf" : "failed";
      case "data-lf":
        return byte === LF ? this.#endData() : "failed";
      case "trailer-start":
        if (isLineEnd(byte)) return byte === LF ? "complete" : "end-lf";
        return isText(byte) ? "trailer" : "failed";
      case "trailer":
        if (isLineEnd(byte)) return byte === LF ? "trailer-start" : "trailer-lf";
        return isText(byte) ? "trailer" : "failed";
      case "trailer-lf":
        return byte === LF ? "trailer-start" : "failed";
      case "end-lf":
        return byte === LF ? "complete" : "failed";
      default:
        return this.#state;
    }
  }

  #addDigit(byte: number): State {
    const digit = hexDigit(byte);
    this.#remaining = this.#remaining * 16 + digit;
    return digit >= 0 && Number.isSafeInteger(this.#remaining) ? "size" : "failed";
  }

  #endOfSize(byte: number): State {
    return byte === LF ? this.#endSizeLine() : "size-lf";
  }

  #endData(): State {
    this.#allowed = MAX_SIZE_LINE_BYTES;
    return "size-start";
  }

  #endSizeLine(): State {
    this.#allowed = this.#remaining > 0 ? CRLF_BYTES : MAX_TRAILER_BYTES;
    return this.#remaining > 0 ? "data" : "trailer-start";
  }
}

/** -1 when it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}

function isLineEnd(byte: number): boolean {
  return byte === CR || byte === LF;
}

function isText(byte: number): boolean {
  return byte === TAB || (byte >= 0x20 && byte !== DELETE);
}
