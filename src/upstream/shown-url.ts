/** URLs as the status page may show them to anybody who may see it (status.md section 3). */
import { maskToken } from "../http/token-mask.ts";
import { cutUtf8 } from "../system/log.ts";
import { asByteString, utf8Decode } from "../wire/text/byte-string.ts";

/** Longest URL, and whatever else of a request is shown. */
export const SHOWN_MAX_BYTES = 255;

/** A URL, whose characters are bytes, as text: at most 255 bytes, and no token even in URLs within it. */
export function shownUrl(url: string): string {
  return cutUtf8(utf8Decode(asByteString(maskToken(url))), SHOWN_MAX_BYTES);
}
