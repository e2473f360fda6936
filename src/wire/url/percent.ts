/**
 * Percent-encoding (RFC 3986 section 2.1; http.md section 2) and the byte strings it works on.
 *
 * A byte string holds one byte per character (U+0000 to U+00FF), so that a raw request target survives unchanged.
 */

const INVALID_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Decodes a byte string to a byte string; undefined when a `%` is not followed by two hex digits. */
export function percentDecode(bytes: string): string | undefined {
  if (INVALID_ESCAPE.test(bytes)) return undefined;
  return bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const TO_ENCODE = /[^A-Za-z0-9\-_.~/]+/g;
/** By byte. A playlist has a hundred thousand names. */
const ESCAPES: readonly string[] = Array.from(
  { length: 256 },
  (_, code) => `%${code.toString(16).toUpperCase().padStart(2, "0")}`,
);

/** Encodes every byte of a byte string except `A–Z a–z 0–9 - _ . ~ /`. */
export function percentEncode(bytes: string): string {
  return bytes.replace(TO_ENCODE, escapeAll);
}

function escapeAll(bytes: string): string {
  let escaped = "";
  for (let i = 0; i < bytes.length; i++) escaped += ESCAPES[bytes.charCodeAt(i)];
  return escaped;
}

/** Encodes text, as names in generated URLs and cookies need it. */
export function percentEncodeText(text: string): string {
  return percentEncode(utf8Encode(text));
}

/** The UTF-8 bytes of text, as a byte string. */
export function utf8Encode(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text a byte string means in UTF-8; invalid sequences become U+FFFD. */
export function utf8Decode(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
