/** The encoding of a text that says none, and its lines as UTF-8 (m3u.md section 4). */
/** Those of lists in the wild; names of the Encoding Standard. */
type LegacyEncoding = "gb18030" | "big5" | "shift_jis" | "windows-1250" | "windows-1251" | "windows-1252";
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

/** Letters of Polish and Slovak in windows-1250, where windows-1252 has signs that stand in no word. */
const STRONG: readonly number[] = [0xb3, 0xb9, 0xbf, 0x9f, 0xbe, 0x9d];
/** `š` and `ž`, in both the same, which Czech has beside `ě`, `ř` and `ů`. */
const CARONS: readonly number[] = [0x8a, 0x8e, 0x9a, 0x9e];
const CZECH: readonly number[] = [0xec, 0xf8, 0xf9];

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
  readonly #big5 = new PairCount(0xa1, 0xf9, (lead) => lead >= 0xa4 && lead <= 0xc6);
  /** Common are kana. */
  readonly #shiftJis = new PairCount(0x81, 0xef, (lead) => lead <= 0x84, 0xa0, 0xdf);
  #high = 0;
  #strong = 0;
  #carons = 0;
  #czech = 0;

  get isFull(): boolean {
    return this.#bytes >= SAMPLE_BYTES;
  }

  /** @param bytes a line that is no UTF-8 */
  add(bytes: Uint8Array): void {
    const end = Math.min(bytes.length, SAMPLE_BYTES - this.#bytes);
    this.#bytes += end;
    this.#big5.add(bytes, end);
    this.#shiftJis.add(bytes, end);
    this.#countLetters(bytes, end);
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
    if (this.#big5.isLikely(0.8)) return "big5";
    if (this.#shiftJis.isLikely(0.3)) return "shift_jis";
    const isCzech = this.#carons >= this.#high / 20 && this.#carons > 0 && this.#czech >= this.#high / 10;
    if (this.#longGroups <= this.#groups / 2 && (this.#strong >= this.#high / 10 || isCzech)) return "windows-1250";
    return this.#longGroups > this.#groups / 2 ? "windows-1251" : "windows-1252";
  }

  #countLetters(bytes: Uint8Array, end: number): void {
    for (let at = 1; at < end; at++) {
      const byte = bytes[at]!;
      if (byte < HIGH) continue;
      this.#high++;
      if (CARONS.includes(byte)) this.#carons++;
      else if (CZECH.includes(byte)) this.#czech++;
      else if (STRONG.includes(byte) && isLetter(bytes[at - 1]!)) this.#strong++;
    }
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

/** Counts pairs of a first byte and one that may be ASCII. */
class PairCount {
  readonly #first: number;
  readonly #last: number;
  readonly #isCommon: (lead: number) => boolean;
  readonly #singleFrom: number;
  readonly #singleTo: number;
  #pairs = 0;
  #common = 0;
  /** Those directly behind another one: in other encodings, accents stand alone. */
  #adjacent = 0;
  #wrong = 0;

  /** @param singleFrom to `singleTo`: bytes that are characters of their own */
  constructor(first: number, last: number, isCommon: (lead: number) => boolean, singleFrom = 256, singleTo = 256) {
    this.#first = first;
    this.#last = last;
    this.#isCommon = isCommon;
    this.#singleFrom = singleFrom;
    this.#singleTo = singleTo;
  }

  add(bytes: Uint8Array, end: number): void {
    let isBehindPair = false;
    for (let at = 0; at < end; at++) {
      const lead = bytes[at]!;
      const isSingle = lead < HIGH || (lead >= this.#singleFrom && lead <= this.#singleTo);
      const trail = bytes[at + 1] ?? 0;
      const isPair = !isSingle && lead >= this.#first && lead <= this.#last && trail >= 0x40 && trail !== 0x7f;
      if (isPair) {
        this.#pairs++;
        if (this.#isCommon(lead)) this.#common++;
        if (isBehindPair) this.#adjacent++;
        at++;
      } else if (!isSingle && at + 1 < end) this.#wrong++;
      isBehindPair = isPair;
    }
  }

  /** @param share of the common pairs */
  isLikely(share: number): boolean {
    return (
      this.#adjacent >= this.#pairs * 0.4 &&
      this.#common >= this.#pairs * share &&
      this.#wrong <= this.#pairs / 50 &&
      this.#pairs > 1
    );
  }
}

function isLetter(byte: number): boolean {
  return byte >= HIGH || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
