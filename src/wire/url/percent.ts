/** Percent-encoding (RFC 3986 section 2.1; http.md section 2). */
import { asByteString, type ByteString, type UnicodeText, utf8Encode } from "../text/byte-string.ts";

const INVALID_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Undefined when a `%` is not followed by two hex digits. */
export function percentDecode(bytes: ByteString): ByteString | undefined {
  if (INVALID_ESCAPE.test(bytes)) return undefined;
  return asByteString(bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
}

const TO_ENCODE = /[^A-Za-z0-9\-_.~/]+/g;
/** By byte. A playlist has a hundred thousand names. */
const ESCAPES: readonly string[] = Array.from(
  { length: 256 },
  (_, code) => `%${code.toString(16).toUpperCase().padStart(2, "0")}`,
);

/** Encodes every byte except `A–Z a–z 0–9 - _ . ~ /`. */
export function percentEncode(bytes: ByteString): ByteString {
  return asByteString(bytes.replace(TO_ENCODE, escapeAll));
}

function escapeAll(bytes: string): string {
  let escaped = "";
  for (let i = 0; i < bytes.length; i++) escaped += ESCAPES[bytes.charCodeAt(i)];
  return escaped;
}

/** Encodes text, as names in generated URLs and cookies need it. */
export function percentEncodeText(text: UnicodeText): ByteString {
  return percentEncode(utf8Encode(text));
}
