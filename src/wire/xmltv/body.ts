/** What stands between `<tv …>` and `</tv>` of an XMLTV document, taken out while it streams by, so that guides can be joined. */

/** Bytes in a row that end no channel or programme; then it is no XMLTV. */
const MAX_HELD_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);
const LT = 0x3c;
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
const ROOT_END = /^<\/tv[\s>]/;
const ROOT = /^<tv(?:\s(?:[^"'>]|"[^"]*"|'[^']*')*|\/)?>/;
const OTHER_ROOT = /^<(?!tv(?:[\s/>]|$)|t?$)[^!?]/;

type State =
  /** Before the root element. */
  | "prolog"
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

  get state(): State {
    return this.#state;
  }

  /** The next part of the body, perhaps empty. It may be a view of `piece`. */
  push(piece: Uint8Array): Uint8Array {
    if (!this.#isOpen) return NOTHING;
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const { from, to, seen } = this.#scan(data);
    // A copy: the rest must not keep the whole chunk in memory.
    this.#held = Buffer.from(data.subarray(to));
    this.#seen = seen - to;
    if (this.#isOpen && this.#held.length > MAX_HELD_BYTES) this.#state = "failed";
    return data.subarray(from, to);
  }

  get #isOpen(): boolean {
    return this.#state === "prolog" || this.#state === "body";
  }

  /** Tag by tag. What is from `from` to `to` goes out, what is before `from` is dropped. */
  #scan(data: Buffer): { from: number; to: number; seen: number } {
    let from = 0;
    let to = 0;
    let seen = this.#seen;
    while (this.#isOpen) {
      const lt = this.#nextTag(data, seen);
      seen = lt.at;
      if (!lt.isFound) break;
      if (this.#state === "body" && isStartTag(data[seen + 1])) {
        seen++;
        continue;
      }
      const sign = data.toString("latin1", seen, seen + LONGEST_SIGN_BYTES);
      const opaque = OPAQUE.find(([begin]) => sign.startsWith(begin));
      if (opaque) {
        this.#opaqueEnd = opaque[1];
        seen += opaque[0].length;
      } else if (this.#state === "prolog") {
        const length = this.#rootLength(data, seen, sign);
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
    return this.#state === "prolog" ? { from: seen, to: seen, seen } : { from, to, seen };
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

  /** Length of what is passed by; undefined when more bytes must tell. Enters the state behind the root's tag. */
  #rootLength(data: Buffer, at: number, sign: string): number | undefined {
    const tag = sign.startsWith("<tv") ? ROOT.exec(data.toString("latin1", at, at + MAX_HELD_BYTES))?.[0] : undefined;
    if (tag !== undefined) {
      this.#state = tag.endsWith("/>") ? "complete" : "body";
      return tag.length;
    }
    if (OTHER_ROOT.test(sign)) {
      this.#state = "failed";
      return 0;
    }
    const isDeclaration = sign.length >= LONGEST_SIGN_BYTES && sign.startsWith("<!");
    return isDeclaration ? "<!".length : undefined;
  }
}

/** Of an element within the body: most tags, and nothing to look at. */
function isStartTag(next: number | undefined): boolean {
  return next !== undefined && next !== SLASH && next !== BANG && next !== QUESTION_MARK;
}
