/** Attribute lists of HLS tags (RFC 8216 section 4.2), read from the left, quotes respected. */

export interface Attribute {
  /** In upper case. */
  readonly name: string;
  /** Without quotes. */
  readonly value: string;
  readonly isQuoted: boolean;
  /** Where in the line the value stands, with its quotes; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

const TAG = /^[\t ]*#EXT-[A-Z0-9-]*:/i;
const NAME = /[\t ,]*([A-Z0-9_-]+)[\t ]*=[\t ]*/iy;
const VALUE = /"([^"]*)"|([^",\t \r][^,\t \r]*)?/y;
const STRAY = /[^,]*,?/y;

/** Of a whole line; none when it is of no tag with an attribute list. A title behind `#EXTINF` is none. */
export function attributesOf(line: string): Attribute[] {
  const attributes: Attribute[] = [];
  for (let at = TAG.exec(line)?.[0].length ?? line.length; at < line.length; ) {
    NAME.lastIndex = at;
    const [head, name] = NAME.exec(line) ?? [];
    if (head === undefined || name === undefined) {
      STRAY.lastIndex = at;
      at += STRAY.exec(line)?.[0].length || 1;
      continue;
    }
    const start = at + head.length;
    VALUE.lastIndex = start;
    const [text = "", quoted, bare = ""] = VALUE.exec(line) ?? [];
    at = start + text.length;
    attributes.push({
      name: name.toUpperCase(),
      value: quoted ?? bare,
      isQuoted: quoted !== undefined,
      start,
      end: at,
    });
  }
  return attributes;
}
