/** Text of service information: the first bytes may say the character table (ETSI EN 300 468 annex A). */
import { EncodingSample } from "../text/encoding.ts";

/** By the first byte: ISO 8859-5 to -15, table A.3. 8859-11 is Thai, 8859-12 does not exist. */
const FIRST_PART = 5;
const LAST_PART = 15;
const SELECTS_PART = 0x10;
const ENCODINGS: ReadonlyMap<number, string> = new Map([
  [0x11, "utf-16be"],
  [0x12, "euc-kr"],
  // GB-2312-1980; its extensions are used under the same number.
  [0x13, "gb18030"],
  [0x14, "big5"],
  [0x15, "utf-8"],
]);
/** encoding_type_id follows: the tables of companies, which nobody publishes. */
const SELECTS_PRIVATE = 0x1f;

/** In single-byte tables: emphasis on and off; and a line break. */
const EMPHASIS = /[\u0086\u0087]/g;
const BREAK = /\u008a/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not reach a terminal.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\ue080-\ue09f]+/g;
const MAX_CHARACTERS = 128;

/**
 * One line without control characters. What says no table should be ISO 6937; often it is UTF-8 or GB2312 all the same,
 * and is taken for that when it can be nothing else.
 */
export function dvbText(bytes: Uint8Array): string {
  const text = decoded(bytes).replace(EMPHASIS, "").replace(BREAK, " ").replace(CONTROL, "");
  return Array.from(text.trim()).slice(0, MAX_CHARACTERS).join("");
}

function decoded(bytes: Uint8Array): string {
  const [first = 0x20, second = 0, third = 0] = bytes;
  if (first >= 0x20) return unmarked(bytes);
  if (first <= LAST_PART - FIRST_PART + 1) return part(first + FIRST_PART - 1, bytes.subarray(1));
  if (first === SELECTS_PART) return part((second << 8) | third, bytes.subarray(3));
  const encoding = ENCODINGS.get(first);
  if (encoding !== undefined) return decode(encoding, bytes.subarray(1));
  return first === SELECTS_PRIVATE ? unmarked(bytes.subarray(2)) : unmarked(bytes.subarray(1));
}

/** @param number of the part of ISO 8859 */
function part(number: number, bytes: Uint8Array): string {
  if (number < 1 || number > LAST_PART || number === 12) return unmarked(bytes);
  // The decoders of the web have letters where ISO 8859 has control characters.
  const plain = bytes.filter((byte) => byte < 0x80 || byte >= 0xa0);
  return decode(`iso-8859-${number}`, plain);
}

function unmarked(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte < 0x80)) return iso6937(bytes);
  const utf8 = strictUtf8(bytes);
  if (utf8 !== undefined) return utf8;
  const sample = new EncodingSample();
  sample.add(bytes);
  return sample.encoding === "gb18030" ? decode("gb18030", bytes) : iso6937(bytes);
}

/** @param encoding that the Encoding Standard has */
function decode(encoding: string, bytes: Uint8Array): string {
  return new TextDecoder(encoding as Bun.Encoding).decode(bytes);
}

function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** ISO 6937 with the euro sign (table 00, figure A.1): 0xA0 to 0xBF and 0xD0 to 0xFF; U+FFFD where there is none. */
const SIGNS =
  "\u00a0\u00a1\u00a2\u00a3\u20ac\u00a5\ufffd\u00a7\u00a4\u2018\u201c\u00ab\u2190\u2191\u2192\u2193" +
  "\u00b0\u00b1\u00b2\u00b3\u00d7\u00b5\u00b6\u00b7\u00f7\u2019\u201d\u00bb\u00bc\u00bd\u00be\u00bf";
const LETTERS =
  "\u2015\u00b9\u00ae\u00a9\u2122\u266a\u00ac\u00a6\ufffd\ufffd\ufffd\ufffd\u215b\u215c\u215d\u215e" +
  "\u2126\u00c6\u0110\u00aa\u0126\ufffd\u0132\u013f\u0141\u00d8\u0152\u00ba\u00de\u0166\u014a\u0149" +
  "\u0138\u00e6\u0111\u00f0\u0127\u0131\u0133\u0140\u0142\u00f8\u0153\u00df\u00fe\u0167\u014b\u00ad";
/** 0xC0 to 0xCF: accents, which stand before their letter; Unicode has them behind it. */
const ACCENTS = "\ufffd\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\ufffd\u030a\u0327\ufffd\u030b\u0328\u030c";

function iso6937(bytes: Uint8Array): string {
  let text = "";
  let accent = "";
  for (const byte of bytes) {
    if (byte >= 0xc0 && byte <= 0xcf) {
      accent = ACCENTS[byte - 0xc0]!;
      continue;
    }
    text += characterOf(byte) + accent;
    accent = "";
  }
  return text.normalize("NFC");
}

function characterOf(byte: number): string {
  if (byte < 0xa0) return String.fromCharCode(byte);
  return byte < 0xc0 ? SIGNS[byte - 0xa0]! : LETTERS[byte - 0xd0]!;
}
