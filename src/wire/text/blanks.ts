/** Optional blanks of headers and lists: spaces and tabs, nothing else (RFC 9110 section 5.6.3). */

/** Without the spaces and tabs around it. Not `trim()`, which would cut 0xA0: in UTF-8 that is a part of letters. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
