/** Blanks around a text. All of them ASCII: `trim()` would cut 0xA0, which in UTF-8 is a part of letters. */

/** Without the optional blanks of headers and lists around it: spaces and tabs, nothing else (RFC 9110 section 5.6.3). */
export function trimBlanks(text: string): string {
  return trimmed(text, (code) => code === 0x20 || code === 0x09);
}

/** Without what C's isspace() takes for blank around it: line ends too. */
export function trimAsciiBlanks<Text extends string>(text: Text): Text {
  return trimmed(text, isAsciiBlank) as Text;
}

/** Whether it is what C's isspace() takes for blank. */
export function isAsciiBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** In linear time, where a regular expression is not. */
function trimmed(text: string, isBlank: (code: number) => boolean): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
