/** Collects the header lines of what a server sends, folded ones too (RFC 9112 section 5; RFC 2326 section 4.2 has the same). */
import { trimBlanks } from "../text/blanks.ts";
import type { HeaderField } from "./header-fields.ts";

const VALUE_CHAR = "[\\t -~\\x80-\\xff]";
/** A blank before the colon is forbidden to send and has to be cut out by a proxy (RFC 9112 section 5.1). */
const HEADER_LINE = new RegExp(`^([!#$%&'*+.^_\`|~0-9A-Za-z-]+)[\\t ]*:(${VALUE_CHAR}*)$`);
const FOLDED_LINE = new RegExp(`^[\\t ]${VALUE_CHAR}*$`);

export class HeaderLines {
  readonly #maxCount: number;
  #fields: HeaderField[] = [];
  /** Whether the last line was no header: a fold of it is none either. */
  #isAstray = false;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get fields(): readonly HeaderField[] {
    return this.#fields;
  }

  clear(): void {
    this.#fields = [];
    this.#isAstray = false;
  }

  /**
   * @param line without its line end, not empty
   * @returns why it is refused
   */
  add(line: string): "malformed" | "too many" | undefined {
    const last = this.#isAstray ? undefined : this.#fields.at(-1);
    if (last && FOLDED_LINE.test(line)) {
      this.#fields[this.#fields.length - 1] = [last[0], joinFold(last[1], trimBlanks(line))];
      return undefined;
    }
    const match = HEADER_LINE.exec(line);
    this.#isAstray = !match;
    if (!match) return "malformed";
    if (this.#fields.length === this.#maxCount) return "too many";
    this.#fields.push([match[1]!, trimBlanks(match[2]!)]);
    return undefined;
  }
}

/** RFC 9112 section 5.2: a proxy replaces the fold by a space. */
function joinFold(value: string, continuation: string): string {
  return value && continuation ? `${value} ${continuation}` : value + continuation;
}
