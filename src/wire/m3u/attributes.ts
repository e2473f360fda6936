/** Attributes of `#EXTM3U` and `#EXTINF` lines: `name="value"` or `name=value` (m3u.md section 4). */
import { isAsciiBlank } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";

interface Attribute {
  readonly value: ByteString;
  /** Where in the line the value stands, with its quotes; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

interface AttributeRules {
  readonly ignoreCase?: boolean;
  /** A value without quotes holds commas, and ends only at a blank. */
  readonly withCommas?: boolean;
}

/**
 * The first place where `name=` stands, wherever that is: lists glue attributes together in every way.
 * @param name in lower case when case is ignored
 */
export function findAttribute(line: ByteString, name: string, rules: AttributeRules = {}): Attribute | undefined {
  const at = (rules.ignoreCase ? line.toLowerCase() : line).indexOf(`${name}=`);
  if (at < 0) return undefined;
  const start = at + name.length + 1;
  const isQuoted = line[start] === '"';
  const closing = isQuoted ? line.indexOf('"', start + 1) : -1;
  if (closing >= 0) return { value: line.slice(start + 1, closing), start, end: closing + 1 };
  let end = start;
  while (end < line.length && !isAsciiBlank(line.charCodeAt(end)) && (rules.withCommas || line[end] !== ",")) end++;
  // The quote that nobody closed is no part of the value.
  return { value: line.slice(isQuoted ? start + 1 : start, end), start, end };
}

/** `line` with the attribute at the end of its attributes, which is before its last comma. */
export function addAttribute(line: ByteString, name: string, value: ByteString): ByteString {
  const comma = line.lastIndexOf(",");
  const end = comma < 0 ? line.length : comma;
  return asByteString(`${line.slice(0, end)} ${name}="${value}"${line.slice(end)}`);
}
