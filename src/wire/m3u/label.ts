/** The `$label` at the end of playlist URLs and of channel names (http.md section 8; m3u.md section 5.1). */
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { splitTarget } from "../url/label.ts";

/** The last `$` that is not followed by `{` or the end, up to the end; what holds `/ ? & =` is no label. */
const LABEL = /\$(?!\{|$)(?:[^$/?&=]|\$(?=\{|$))*$/;

interface LabelledUrl {
  readonly url: ByteString;
  /** Without `$`; empty when there is none. */
  readonly label: ByteString;
}

/** A label between path and query counts when the query has none; the query stays. */
export function splitLabel(text: ByteString): LabelledUrl {
  const { path, query } = splitTarget(text);
  const mark = text.indexOf("?");
  if (mark < 0) return { url: path, label: text.slice(path.length + 1) };
  const ofPath = text.slice(path.length + 1, mark);
  const ofQuery = text.slice(mark + 1 + query.length + 1);
  return { url: asByteString(`${path}?${query}`), label: ofQuery || ofPath };
}

/** @param name of a channel, decoded: a `?` in it begins no query */
export function withoutLabel(name: ByteString): ByteString {
  return asByteString(name.replace(LABEL, ""));
}
