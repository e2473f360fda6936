/** The `Cookie` header of a request (RFC 6265 section 5.4). */
import { trimBlanks } from "../text/blanks.ts";

/**
 * The raw value of the first cookie `name`, compared without regard to case and freed of outer blanks. Undefined when
 * there is none; what has no `=` is no cookie.
 */
export function cookieValue(header: string, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals >= 0 && trimBlanks(pair.slice(0, equals)).toLowerCase() === wanted)
      return trimBlanks(pair.slice(equals + 1));
  }
  return undefined;
}
