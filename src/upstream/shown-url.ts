/** URLs as the status page may show them to anybody who may see it (status.md section 3). */
import { cutUtf8 } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { asByteString, utf8Decode } from "../wire/text/byte-string.ts";

/** Longest URL, and whatever else of a request is shown. */
export const SHOWN_MAX_BYTES = 255;

/** A URL, whose characters are bytes, as text: at most 255 bytes, and nothing secret in it. */
export function shownUrl(url: string): string {
  return cutUtf8(utf8Decode(asByteString(shown(url))), SHOWN_MAX_BYTES);
}
