/** Lines out of pieces of any size, as the heads of HTTP and RTSP messages have them; how the pieces are cut changes nothing. */

const LF = 0x0a;

/** Holds at most `maxBytes`, over all lines together. */
export class LineCollector {
  /** The line that the last `take` ended, without CR and LF; undefined when it ended none. Its characters are bytes. */
  line: string | undefined;
  readonly #maxBytes: number;
  #pending = "";
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What has come of the line that has not ended. */
  get pending(): string {
    return this.#pending;
  }

  /** Nothing more may be taken. */
  get isFull(): boolean {
    return this.#size === this.#maxBytes;
  }

  /** Takes bytes from `start` up to the end of a line, at most to before `end`; returns where the next ones are. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const newline = bytes.indexOf(LF, start);
    const lineEnd = newline < 0 || newline >= end ? end : newline + 1;
    const stop = Math.min(lineEnd, start + this.#maxBytes - this.#size);
    const text = this.#pending + Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString("latin1");
    this.#size += stop - start;
    const isLine = bytes[stop - 1] === LF && stop > start;
    this.line = isLine ? text.slice(0, text.endsWith("\r\n") ? -2 : -1) : undefined;
    this.#pending = isLine ? "" : text;
    return stop;
  }
}
