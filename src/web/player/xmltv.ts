/**
 * Cuts an XMLTV document into pieces of whole elements as it arrives, and reads its times. A guide of many megabytes is so
 * parsed bit by bit, and the page never stands still.
 */

/** A piece grows to about this before it is given out. */
const PIECE_CHARS = 64 * 1024;
/** No `channel` or `programme` element is larger: what holds none within this is no guide. */
const MAX_HELD_CHARS = 1024 * 1024;

const FIRST_ELEMENT = /<(?:channel|programme)[\s>]/;
const ENDS = ["</programme>", "</channel>"];

export class XmltvPieces {
  #held = "";
  #isInside = false;

  /** @returns elements one after the other, without what surrounds them, or nothing yet */
  push(text: string): string | undefined {
    this.#held += text;
    if (!this.#isInside) this.#skipProlog();
    if (this.#held.length < PIECE_CHARS) return undefined;
    const piece = this.#takeWhole();
    if (piece === undefined && this.#held.length > MAX_HELD_CHARS) this.#held = "";
    return piece;
  }

  finish(): string | undefined {
    return this.#takeWhole();
  }

  #skipProlog(): void {
    const first = FIRST_ELEMENT.exec(this.#held);
    if (first) {
      this.#held = this.#held.slice(first.index);
      this.#isInside = true;
    } else this.#held = this.#held.slice(-MAX_HELD_CHARS);
  }

  #takeWhole(): string | undefined {
    if (!this.#isInside) return undefined;
    const end = Math.max(...ENDS.map((tag) => (this.#held.lastIndexOf(tag) + 1 || -tag.length) + tag.length - 1));
    if (end <= 0) return undefined;
    const piece = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    return piece;
  }
}

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?\s*(?:([+-])(\d\d):?(\d\d)|Z|UTC|GMT)?$/;

/** `YYYYMMDDhhmmss ±hhmm` in ms since 1970; UTC without a zone. Undefined when it is no such time. */
export function parseXmltvTime(text: string): number | undefined {
  const match = TIME.exec(text.trim());
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const [sign, hours, minutes] = match.slice(7, 10);
  const zoneMin = sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  return Date.UTC(year, month - 1, day, hour, minute - zoneMin, second);
}
