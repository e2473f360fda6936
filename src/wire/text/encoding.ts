/** The encoding of a text that says none, and its lines as UTF-8 (m3u.md section 4). */
/** Those of lists in the wild; names of the Encoding Standard. */
type LegacyEncoding = "gb18030" | "windows-1251" | "windows-1252";
type WideEncoding = "utf-16le" | "utf-16be";

/** So much is looked at to tell encodings apart, without the lines that are UTF-8. */
const SAMPLE_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const HIGH = 0x80;

/** What tells by its first character that it is UTF-16, with a byte order mark or without one. */
export function wideEncoding(head: Uint8Array): WideEncoding | undefined {
  const [first = 0, second = 0] = head;
  if (head.length < 2) return undefined;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && first < HIGH && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && second < HIGH)) return "utf-16be";
  return undefined;
}

/** Where the line ends that `start` begins, its end included. No encoding here has line ends within its characters. */
export function lineEnd(bytes: Uint8Array, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
  return Math.min(end + 1, bytes.length);
}

/** Counts what tells 8-bit encodings apart. */
export class EncodingSample {
  #bytes = 0;
  /** Bytes above ASCII that follow each other, as groups. */
  #groups = 0;
  #oddGroups = 0;
  #longGroups = 0;
  #pairs = 0;
  /** Pairs that are among the common characters and signs of GB2312. */
  #commonPairs = 0;

  get isFull(): boolean {
    return this.#bytes >= SAMPLE_BYTES;
  }

  /** @param bytes a line that is no UTF-8 */
  add(bytes: Uint8Array): void {
    const end = Math.min(bytes.length, SAMPLE_BYTES - this.#bytes);
    this.#bytes += end;
    for (let at = 0; at < end; at++) {
      if (bytes[at]! < HIGH) continue;
      const start = at;
      while (at < end && bytes[at]! >= HIGH) at++;
      const isRare = (at - start) % 2 === 1 && isDigit(bytes[at]) && bytes[at + 1]! >= HIGH && isDigit(bytes[at + 2]);
      this.#addGroup(bytes.subarray(start, isRare ? at - 1 : at));
      // The four bytes of a character that GBK does not have.
      if (isRare) at += 2;
    }
  }

  get encoding(): LegacyEncoding {
    // In Chinese nearly all groups are pairs of bytes; Cyrillic words have any length; elsewhere accents stand alone.
    const isPaired = this.#oddGroups <= this.#groups / 20 && this.#commonPairs >= this.#pairs * 0.7;
    if (isPaired && this.#pairs > 0) return "gb18030";
    return this.#longGroups > this.#groups / 2 ? "windows-1251" : "windows-1252";
  }

  #addGroup(group: Uint8Array): void {
    if (group.length === 0) return;
    this.#groups++;
    if (group.length % 2 === 1) this.#oddGroups++;
    if (group.length > 2) this.#longGroups++;
    for (let at = 0; at + 1 < group.length; at += 2) {
      const lead = group[at]!;
      this.#pairs++;
      if (((lead >= 0xb0 && lead <= 0xd7) || (lead >= 0xa1 && lead <= 0xa9)) && group[at + 1]! >= 0xa1)
        this.#commonPairs++;
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
