/** Attributes of `#EXTM3U` and `#EXTINF` lines, `name="value"`, and the name behind them (m3u.md section 4). */
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";

export interface Attribute {
  /** In lower case. */
  readonly name: string;
  readonly value: ByteString;
  /** Where in the line the value stands, with its quotes; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

interface AttributeLine {
  readonly attributes: readonly Attribute[];
  /** Where another attribute would be put: before the comma that the name stands behind. */
  readonly end: number;
  /** Behind the first comma that is neither in quotes nor between attributes; empty without one, and for a header. */
  readonly name: ByteString;
}

const HEADER = /^#EXTM3U/i;
/** The duration, to which lists glue attributes. */
const START = /^#EXT(?:M3U|INF[\t ]*:?[\t ]*[-+]?\d*(?:\.\d*)?)/i;
const BLANKS = /[\t-\r ]+/y;
const NAME = /([^\t-\r "'=,]+)[\t ]*=/y;
/** A value without quotes; a header names several URLs in one. */
const BARE_VALUE = /[^\t-\r ,]*/y;
const BARE_HEADER_VALUE = /[^\t-\r ]*/y;
const STRAY = /[^\t-\r ,]+/y;
/** What a comma stands before when it does not end the attributes. */
const QUOTED_ATTRIBUTE = /[\t ]*[^\t-\r "'=,]+[\t ]*=[\t ]*["']/y;
/** A line that is made to hurt has thousands of quotes, and none of them ends a value. */
const MAX_QUOTES = 64;

/** Reads a whole line from the left. */
export function readAttributeLine(line: ByteString): AttributeLine {
  const isHeader = HEADER.test(line);
  const attributes: Attribute[] = [];
  let at = START.exec(line)?.[0].length ?? 0;
  let endOfLast = at;
  while (at < line.length) {
    at = skip(BLANKS, line, at);
    if (line[at] === ",") {
      if (!isHeader && !matches(QUOTED_ATTRIBUTE, line, at + 1))
        return { attributes, end: at, name: behind(line, at + 1) };
      at++;
      continue;
    }
    const start = skip(NAME, line, at);
    if (start === at) {
      at = skip(STRAY, line, at);
      continue;
    }
    const name = trimAsciiBlanks(line.slice(at, start - 1)).toLowerCase();
    const value = readValue(line, start, isHeader);
    attributes.push({ name, ...value });
    at = value.end;
    endOfLast = at;
  }
  return { attributes, end: endOfLast, name: isHeader ? asByteString("") : behind(line, endOfLast) };
}

/** @param name in lower case; the first one counts */
export function findAttribute(line: ByteString, name: string): Attribute | undefined {
  return readAttributeLine(line).attributes.find((attribute) => attribute.name === name);
}

/** The value as an attribute has it: a double quote in it would be its end. */
export function quoted(value: ByteString): ByteString {
  return asByteString(`"${value.replaceAll('"', "'")}"`);
}

function readValue(line: ByteString, at: number, isHeader: boolean): Omit<Attribute, "name"> {
  const start = skip(BLANKS, line, at);
  const quote = line[start];
  const isQuoted = quote === '"' || quote === "'";
  const closing = isQuoted ? closingQuote(line, quote, start + 1) : -1;
  if (closing >= 0) return { value: line.slice(start + 1, closing), start, end: closing + 1 };
  // Behind `name= ` the next attribute may stand.
  if (start > at && !isQuoted) return { value: asByteString(""), start: at, end: at };
  // A quote that nobody closed is no part of the value.
  const from = isQuoted ? start + 1 : start;
  const end = skip(isHeader ? BARE_HEADER_VALUE : BARE_VALUE, line, from);
  return { value: line.slice(from, end), start, end };
}

/** The first one that something may follow; in `"The "Best" Show"` it is the last. Without any such, the first. */
function closingQuote(line: string, quote: string, from: number): number {
  let at = line.indexOf(quote, from);
  const first = at;
  for (let count = 0; at >= 0 && count < MAX_QUOTES; count++) {
    const next = line[at + 1];
    if (next === undefined || /[\t-\r ,]/.test(next) || matches(NAME, line, at + 1)) return at;
    at = line.indexOf(quote, at + 1);
  }
  return first;
}

function behind(line: ByteString, at: number): ByteString {
  return trimAsciiBlanks(line.slice(at));
}

/** Where `pattern` ends, if it stands at `at`; else `at`. */
function skip(pattern: RegExp, text: string, at: number): number {
  return matches(pattern, text, at) ? pattern.lastIndex : at;
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}
