/** Text whose characters are bytes, as opposed to Unicode text: what a request or a playlist brings survives unchanged in it. */

declare const isBytes: unique symbol;

/**
 * One byte per character (U+0000 to U+00FF). Only the functions of this file and of `url/percent.ts` make one of something
 * else. A part of one is one, too: these methods stand before those of `string`, which would forget it.
 */
export type ByteString = {
  readonly [isBytes]: true;
  slice(start?: number, end?: number): ByteString;
  split(separator: string | RegExp, limit?: number): ByteString[];
} & string;

/** Unicode text. A byte string is none: shown as it stands, it would be garbled. */
export type UnicodeText = string & { readonly [isBytes]?: never };

/** Characters `start` to before `end` are the bytes there. */
export function bytesToString(bytes: Buffer, start?: number, end?: number): ByteString {
  return bytes.toString("latin1", start, end) as ByteString;
}

/** Takes text for a byte string that is one: it was put together of byte strings and ASCII, or came from a head's parser. */
export function asByteString(text: string): ByteString {
  return text as ByteString;
}

/** The UTF-8 bytes of text. */
export function utf8Encode(text: UnicodeText): ByteString {
  return bytesToString(Buffer.from(text, "utf8"));
}

/** The text a byte string means in UTF-8; invalid sequences become U+FFFD. */
export function utf8Decode(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
