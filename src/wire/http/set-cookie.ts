/** `Set-Cookie` in the answers of servers whose answers come under another name and path (RFC 6265 sections 4.1 and 5.1.4). */
import { trimBlanks } from "../text/blanks.ts";

const BOUND = /^[\t ]*(path|domain)[\t ]*(=|$)/i;
const PATH = /^[\t ]*path[\t ]*=[\t ]*(\/.*?)[\t ]*$/i;

/** Undefined for a cookie without a name: what stands in its value would look like another cookie when it comes back. */
export function setCookieName(value: string): string | undefined {
  const pair = value.split(";", 1)[0]!;
  const equals = pair.indexOf("=");
  return equals < 0 ? undefined : trimBlanks(pair.slice(0, equals)) || undefined;
}

/** The cookie for `path` alone, on the host that sends it, in place of where it says that it belongs. */
export function cookieAt(value: string, path: string): string {
  const kept = value.split(";").filter((attribute, index) => index === 0 || !BOUND.test(attribute));
  return `${kept.join(";")}; Path=${path}`;
}

/**
 * To which path of its server a cookie belongs.
 * @param requestPath of the request that was answered, with or without query
 */
export function cookiePath(value: string, requestPath: string): string {
  const path = value
    .split(";")
    .slice(1)
    .map((attribute) => PATH.exec(attribute)?.[1])
    .findLast((found) => found !== undefined);
  if (path !== undefined) return path;
  const [asked = ""] = requestPath.split("?", 1);
  return asked.slice(0, asked.lastIndexOf("/")) || "/";
}
