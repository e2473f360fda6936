/** URLs as those may see them who watch (status.md section 3). */
import { cutUtf8 } from "../system/log.ts";
import { maskToken } from "../wire/http/token-mask.ts";
import { utf8Decode } from "../wire/url/percent.ts";

const SHOWN_URL_MAX_BYTES = 255;

/** A URL, which is a byte string, as text for the status page: at most 255 bytes, and no token even in URLs within it. */
export function shownUrl(url: string): string {
  return cutUtf8(utf8Decode(maskToken(url)), SHOWN_URL_MAX_BYTES);
}
