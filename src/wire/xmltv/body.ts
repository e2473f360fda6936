/** What stands between `<tv …>` and `</tv>` of an XMLTV document, taken out while it streams by, so that guides can be joined. */

/** Bytes in a row that end no channel or programme; then it is no XMLTV. */
const MAX_HELD_BYTES = 1024 * 1024;
/** What may stand before the body, the root's tag included. */
const MAX_PROLOG_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);
const LT = 0x3c;
const GT = 0x3e;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION_MARK = 0x3f;
/** Begin and end of what has no meaning, whatever stands in it. */
const OPAQUE: readonly (readonly [begin: string, end: string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
];
const ELEMENT_ENDS: readonly string[] = ["</channel>", "</programme>"];
const LONGEST_SIGN_BYTES = "</programme>".length;
/** What the names in them, and the root's, begin with. */
const END_LETTERS: readonly number[] = Array.from("cpt", (letter) => letter.charCodeAt(0));
const ROOT_END = /^<\/tv[\s>]/;
const ROOT = /^<tv[\s/>]/;
const ROOT_BYTES = "<tv".length;
const OTHER_ROOT = /^<(?!tv(?:[\s/>]|$)|t?$)[^!?]/;

type State =
  /** Before the root element. */
  | "prolog"
  /** Within the root's tag. */
  | "root"
  | "body"
  /** `</tv>` has come. */
  | "complete"
  /** It is no XMLTV document. */
  | "failed";

/**
 * Takes the document in pieces of any size, and gives whole elements back, so that what comes out of a document that breaks
 * off can still be joined with others. Its encoding must be one that writes ASCII as ASCII.
 */
export class XmltvBody {
  #state: State = "prolog";
  /** Neither given out nor dropped yet. */
  #held: Buffer = Buffer.alloc(0);
  /** How far `#held` has been looked at. */
  #seen = 0;
  /** Of the comment or the like that has begun. */
  #opaqueEnd: string | undefined;
  /** The quote around the value that has begun in the root's tag; 0 for none. */
  #quote = 0;
  /** The last byte of the root's tag so far. */
  #rootByte = 0;
  #prologBytes = 0;

  get state(): State {
    return this.#state;
  }

  /** The next part of the body, perhaps empty. It may be a view of `piece`. */
  push(piece: Uint8Array): Uint8Array {
    if (!this.#isOpen) return NOTHING;
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const { from, to, seen } = this.#scan(data);
    if (this.#isBefore) this.#prologBytes += piece.length;
    if (this.#prologBytes > MAX_PROLOG_BYTES) this.#state = "failed";
    // A copy: the rest must not keep the whole chunk in memory.
    this.#held = Buffer.from(data.subarray(to));
    this.#seen = seen - to;
    if (this.#isOpen && this.#held.length > MAX_HELD_BYTES) this.#state = "failed";
    return data.subarray(from, to);
  }

  get #isOpen(): boolean {
    return this.#isBefore || this.#state === "body";
  }

  get #isBefore(): boolean {
    return this.#state === "prolog" || this.#state === "root";
  }

  /** Tag by tag. What is from `from` to `to` goes out, what is before `from` is dropped. */
  #scan(data: Buffer): { from: number; to: number; seen: number } {
    let from = 0;
    let to = 0;
    let seen = this.#seen;
    while (this.#isOpen) {
      if (this.#state === "root") {
        seen = this.#passRoot(data, seen);
        if (this.#state === "root") break;
        from = to = seen;
        continue;
      }
      const lt = this.#nextTag(data, seen);
      seen = lt.at;
      if (!lt.isFound) break;
      if (this.#state === "body" && (isStartTag(data[seen + 1]) || isOtherEnd(data[seen + 1], data[seen + 2]))) {
        seen++;
        continue;
      }
      const sign = data.toString("latin1", seen, seen + LONGEST_SIGN_BYTES);
      const opaque = OPAQUE.find(([begin]) => sign.startsWith(begin));
      if (opaque) {
        this.#opaqueEnd = opaque[1];
        seen += opaque[0].length;
      } else if (this.#state === "prolog") {
        const length = this.#passed(sign);
        if (length === undefined) break;
        seen += length;
        if (this.#state !== "prolog") from = to = seen;
      } else if (ROOT_END.test(sign)) {
        this.#state = "complete";
        to = seen;
      } else if (sign.length < LONGEST_SIGN_BYTES && !sign.includes(">")) {
        break;
      } else {
        const end = ELEMENT_ENDS.find((text) => sign.startsWith(text));
        seen += end?.length ?? 1;
        if (end !== undefined) to = seen;
      }
    }
    return this.#isBefore ? { from: seen, to: seen, seen } : { from, to, seen };
  }

  /** The next `<` that is not within a comment or the like; else how far there is none. */
  #nextTag(data: Buffer, from: number): { at: number; isFound: boolean } {
    let at = from;
    if (this.#opaqueEnd !== undefined) {
      const end = data.indexOf(this.#opaqueEnd, at);
      if (end < 0) return { at: Math.max(at, data.length - this.#opaqueEnd.length + 1), isFound: false };
      at = end + this.#opaqueEnd.length;
      this.#opaqueEnd = undefined;
    }
    const lt = data.indexOf(LT, at);
    return lt < 0 ? { at: data.length, isFound: false } : { at: lt, isFound: true };
  }

  /** Length of what is passed by; undefined when more bytes must tell. Enters the state of what has begun. */
  #passed(sign: string): number | undefined {
    if (ROOT.test(sign)) {
      this.#state = "root";
      return ROOT_BYTES;
    }
    if (OTHER_ROOT.test(sign)) {
      this.#state = "failed";
      return 0;
    }
    const isDeclaration = sign.length >= LONGEST_SIGN_BYTES && sign.startsWith("<!");
    return isDeclaration ? "<!".length : undefined;
  }

  /** Looks for the end of the root's tag, which may come with many attributes. Returns where it goes on. */
  #passRoot(data: Buffer, from: number): number {
    for (let at = from; at < data.length; at++) {
      const byte = data[at]!;
      if (byte === GT && this.#quote === 0) {
        this.#state = this.#rootByte === SLASH ? "complete" : "body";
        return at + 1;
      }
      if (byte === this.#quote) this.#quote = 0;
      else if (this.#quote === 0 && (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE)) this.#quote = byte;
      this.#rootByte = byte;
    }
    return data.length;
  }
}

/** Of an element within the body: most tags, and nothing to look at. */
function isStartTag(next: number | undefined): boolean {
  return next !== undefined && next !== SLASH && next !== BANG && next !== QUESTION_MARK;
}

/** Of an element that is not looked at: hostile documents consist of them. */
function isOtherEnd(next: number | undefined, letter: number | undefined): boolean {
  return next === SLASH && letter !== undefined && !END_LETTERS.includes(letter);
}
