/** The display tag at the end of a URL, `…$HD`, which players append and servers ignore (http.md section 8). */
import { asByteString, type ByteString } from "../text/byte-string.ts";

interface LabelledTarget {
  readonly path: ByteString;
  /** Without `?`; empty when there is none. */
  readonly query: ByteString;
}

/** Splits a raw target into path and query and drops a label that ends either of them. */
export function splitTarget(target: ByteString): LabelledTarget {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: withoutLabel(target), query: asByteString("") };
  return { path: withoutLabel(target.slice(0, mark)), query: withoutLabel(target.slice(mark + 1)) };
}

/**
 * Cuts from the last `$` on whose next character is neither `{` nor the end. What holds `/ ? & =` is data, not a label:
 * a query behind it must not be lost.
 */
function withoutLabel(text: ByteString): ByteString {
  for (let at = text.lastIndexOf("$"); at >= 0; at = at === 0 ? -1 : text.lastIndexOf("$", at - 1)) {
    const next = text[at + 1];
    if (next === undefined || next === "{") continue;
    return /[/?&=]/.test(text.slice(at)) ? text : text.slice(0, at);
  }
  return text;
}
