/** Conditional requests: whether a client's copy is still good (http.md section 22; RFC 9110 section 13.1.2). */
import { trimBlanks } from "../text/blanks.ts";

/**
 * @param ifNoneMatch value of the header: `*`, or tags with commas between them; weak ones and ones without quotes are accepted
 * @param etag with quotes, without a comma in it
 */
export function isNoneMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return true;
  const tags = ifNoneMatch.split(",").map((tag) => opaque(trimBlanks(tag)));
  return !tags.includes("*") && !tags.includes(opaque(etag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, "").replace(/^"(.*)"$/s, "$1");
}
