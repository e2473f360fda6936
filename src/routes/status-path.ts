/** Paths below the status page: `/status/sse`, or `/sse` when the page is at the root (http.md section 9). */
import { utf8Encode } from "../wire/url/percent.ts";

/**
 * What follows the page's path and a slash, without a trailing slash; undefined for any other path.
 * @param page with one leading slash and none at the end, or `/`
 * @param path byte string
 */
export function belowStatusPage(page: string, path: string): string | undefined {
  const base = page === "/" ? "/" : `${utf8Encode(page)}/`;
  return path.startsWith(base) ? path.slice(base.length).replace(/\/$/, "") : undefined;
}
