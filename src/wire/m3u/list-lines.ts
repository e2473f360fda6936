/** Lines of a list out of pieces of any size; they end in LF, CRLF or CR. */
import { asByteString, type ByteString } from "../text/byte-string.ts";

/** Pictures stand in some, as `data:` URLs. Longer ones are left out, and so is the entry that one of them belongs to. */
const MAX_LINE_BYTES = 256 * 1024;

export class ListLines {
  readonly #take: (line: ByteString, isLong: boolean) => void;
  #carry = asByteString("");
  /** The line is longer than may be: `#carry` is its beginning. */
  #isLong = false;
  /** The last piece ended in a CR: a LF that comes belongs to it. */
  #endedInCr = false;

  /** @param take gets each line without its end, or the beginning of one that is too long */
  constructor(take: (line: ByteString, isLong: boolean) => void) {
    this.#take = take;
  }

  push(piece: ByteString): void {
    let start = this.#endedInCr && piece.startsWith("\n") ? 1 : 0;
    if (piece !== "") this.#endedInCr = false;
    let feed = endOrLength(piece, "\n", start);
    let carriage = endOrLength(piece, "\r", start);
    while (Math.min(feed, carriage) < piece.length) {
      const end = Math.min(feed, carriage);
      this.#keep(piece, start, end);
      this.#endLine();
      start = carriage < feed && feed === end + 1 ? end + 2 : end + 1;
      this.#endedInCr = carriage === piece.length - 1;
      if (feed < start) feed = endOrLength(piece, "\n", start);
      if (carriage < start) carriage = endOrLength(piece, "\r", start);
    }
    this.#keep(piece, start, piece.length);
  }

  finish(): void {
    this.#endLine();
  }

  /** Adds a part of a line. */
  #keep(piece: ByteString, start: number, end: number): void {
    if (this.#isLong) return;
    this.#isLong = this.#carry.length + end - start > MAX_LINE_BYTES;
    this.#carry = asByteString(this.#carry + piece.slice(start, this.#isLong ? start + MAX_LINE_BYTES : end));
  }

  #endLine(): void {
    const line = this.#carry;
    const isLong = this.#isLong;
    this.#carry = asByteString("");
    this.#isLong = false;
    this.#take(line, isLong);
  }
}

function endOrLength(piece: string, end: string, from: number): number {
  const at = piece.indexOf(end, from);
  return at < 0 ? piece.length : at;
}
