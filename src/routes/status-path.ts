/** Paths below the status page: `/status/sse`, or `/sse` when the page is at the root (http.md section 9). */
import { type ByteString, utf8Encode } from "../wire/text/byte-string.ts";

/**
 * What follows the page's path and a slash, without a trailing slash; undefined for any other path.
 * @param page with one leading slash and none at the end, or `/`
 */
export function belowStatusPage(page: string, path: ByteString): string | undefined {
  const base = page === "/" ? "/" : `${utf8Encode(page)}/`;
  return path.startsWith(base) ? path.slice(base.length).replace(/\/$/, "") : undefined;
}
