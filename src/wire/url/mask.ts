/** Hides what is secret in text that is shown or logged: known by its place in URLs and headers, or by its value (config.md section 13). */
import { utf8Encode } from "../text/byte-string.ts";

const MASK = "***";

/** A character that is written as itself, or percent-encoded once or several times over. */
const COLON = encoded(":");
const SLASH = encoded("/");
const EQUALS = encoded("=");
const AT = encoded("@");

/** The parameters whose values are secret: the token of this relay, in whatever spelling, and passwords of others. */
const NAME = `(?:${[..."r2h-token"].map(spellings).join("")}|password|passwd|pwd)`;

function spellings(character: string): string {
  const codes = new Set([character.toLowerCase(), character.toUpperCase()].map(hexOf));
  return `(?:${character}|%(?:25)*(?:${[...codes].join("|")}))`;
}

function encoded(character: string): string {
  return `(?:${character}|%(?:25)*${hexOf(character)})`;
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16);
}

/** A parameter of this URL, of a header, or the value of another parameter. */
const OWN = new RegExp(`(^|[?&;=\\s"'(])(${NAME}${EQUALS})[^&#\\s"]*`, "gi");
/** A parameter of a URL within this one, whose `?`, `&` and the like are encoded as often as the URL around it demands. */
const NESTED = new RegExp(`(%((?:25)*)(?:3f|26|3b|3d|20)${NAME}${EQUALS})(?:(?!%\\2(?:26|23))[^&#\\s"])*`, "gi");
/** The token in a User-Agent (http.md section 7). */
const MARKER = new RegExp(`(R2HTOKEN${SLASH})[^\\s"]*`, "gi");
const AUTHORIZATION = /(authorization["']?[:=]\s{0,8}(?:basic|bearer|digest)?\s{0,8})[^\s"'].{0,2000}/gi;

/** A line of a config file that is none. */
const SETTING = /(?<![\w/?&;=%-])(r2h-token(?:\s{1,8}=|\s{0,8}:)\s{0,8})[^\s"]+/gi;

/** Not `rtp` and `udp`: before their `@` stands a multicast source. */
const SCHEME = "(?<![a-z0-9.+-])(?:rtsp[stu]?|https?|ftps?|wss?|rtmps?|srt)";
/** `scheme://`, or the scheme as a folder, as in requests of this relay. */
const BEFORE_USER = `(${SCHEME}(?:${COLON}${SLASH}{2}|${SLASH}))`;
const USER = new RegExp(`${BEFORE_USER}(?:(?!%(?:25)*(?:2f|3f))[^/?\\s"<>])*(${AT})`, "gi");
/** A password with characters that should have been encoded. Behind a host's colon stands nothing but a port. */
const SLOPPY_USER = new RegExp(
  `${BEFORE_USER}[^/?#\\s"<>:@]{1,256}:(?!\\d{0,5}(?:[/?#&\\s"]|$))[^\\s"<>@]{0,256}(@)`,
  "gi",
);

/**
 * Replaces passwords and tokens of URLs, request targets, queries and headers. All other bytes stay: a `***` in the place of
 * user and password, of the value of a secret parameter, and of credentials in a header.
 */
export function maskUrls<T extends string>(text: T): T {
  return text
    .replace(OWN, `$1$2${MASK}`)
    .replace(NESTED, `$1${MASK}`)
    .replace(SETTING, `$1${MASK}`)
    .replace(MARKER, `$1${MASK}`)
    .replace(USER, `$1${MASK}$2`)
    .replace(SLOPPY_USER, `$1${MASK}$2`)
    .replace(AUTHORIZATION, `$1${MASK}`) as T;
}

/** Shorter ones are found by their place only: by its value, a token `1` would be found everywhere. */
const MIN_SECRET_CHARACTERS = 6;

/** Finds secrets by their value, each character as it is or percent-encoded; undefined when there is none to find. */
export function secretPattern(secrets: readonly string[]): RegExp | undefined {
  const values = [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET_CHARACTERS);
  // Of two that begin alike the longer one first.
  const longestFirst = values.toSorted((a, b) => b.length - a.length);
  return values.length === 0 ? undefined : new RegExp(longestFirst.map(valuePattern).join("|"), "gu");
}

/** Of text and of byte strings. */
function valuePattern(secret: string): string {
  return Array.from(secret, (character) => {
    const bytes = Array.from(utf8Encode(character), bytePattern).join("");
    const blank = character === " " ? "|\\+" : "";
    return `(?:${literal(character)}|${bytes}${blank})`;
  }).join("");
}

function bytePattern(byte: string): string {
  const hex = byte.charCodeAt(0).toString(16).padStart(2, "0");
  const digits = Array.from(hex, (digit) => `[${digit}${digit.toUpperCase()}]`).join("");
  return `(?:${literal(byte)}|%(?:25)*${digits})`;
}

function literal(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** @param pattern as `secretPattern` makes it */
export function maskValues<T extends string>(text: T, pattern: RegExp | undefined): T {
  return pattern ? (text.replace(pattern, MASK) as T) : text;
}
