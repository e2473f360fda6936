/** Request headers that a list prescribes for an entry's URL, in all forms that players know (m3u.md section 4.1). */
import type { HeaderField } from "../http/header-fields.ts";
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { percentDecode } from "../url/percent.ts";

/** More than these are no list's headers, and would not fit into a request. */
const MAX_HEADERS = 32;
const MAX_VALUE_BYTES = 4096;

const NAMES: Readonly<Record<string, string>> = {
  "user-agent": "User-Agent",
  useragent: "User-Agent",
  referer: "Referer",
  referrer: "Referer",
  origin: "Origin",
  cookie: "Cookie",
  cookies: "Cookie",
  authorization: "Authorization",
};
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** They are about the connection, the framing or the player's own question. */
const REFUSED =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|expect|keep-alive|te|trailer|upgrade|proxy-.*|range|if-range)$/i;

const VLC_OPTION = /^#EXTVLCOPT[\t ]*:[\t ]*-*([\w-]+)[\t ]*=(.*)$/is;
const HTTP_OPTION = /^#EXTHTTP[\t ]*:(.*)$/is;
const KODI_OPTION = /^#KODIPROP[\t ]*:[\t ]*([\w.-]+)[\t ]*=(.*)$/is;
const KODI_HEADERS = /(?:^|\.)(?:stream|manifest|common)_headers$/i;
/** What of Kodi's options behind `|` is no header. */
const KODI_SWITCH =
  /^(verifypeer|seekable|failonerror|noshout|acceptencoding|customrequest|auth|sslcipherlist|redirect-limit)$/i;
const PIPE = /\||%7c/gi;
const FIRST_NAME = /^([A-Za-z][\w-]*)[\t ]*=/;
/** A program's name with its version, which is all that some write behind the `|`. */
const PRODUCT = /^[A-Za-z][\w.-]*\/\d[\w.]*(?:[ (].*)?$/;
const MEDIA_NAME = /\.(?:ts|m3u8?|mp4|mpd|mkv|flv|aac|mp3)$/i;

interface PipedUrl {
  readonly url: ByteString;
  readonly headers: readonly HeaderField[];
}

/** Takes what stands behind the `|` of `http://…|User-Agent=…&Referer=…` from a URL. */
export function splitPiped(text: ByteString): PipedUrl {
  for (const { index, 0: pipe } of text.matchAll(PIPE)) {
    const rest = trimAsciiBlanks(text.slice(index + pipe.length));
    const [, first] = FIRST_NAME.exec(rest) ?? [];
    const url = trimAsciiBlanks(text.slice(0, index));
    if (first !== undefined && (isHeaderName(first) || KODI_SWITCH.test(first)))
      return { url, headers: readPairs(rest) };
    // Nothing behind it prescribes nothing.
    if (rest === "") return { url, headers: [] };
    if (PRODUCT.test(rest) && !MEDIA_NAME.test(rest)) return { url, headers: [["User-Agent", rest]] };
  }
  return { url: text, headers: [] };
}

/** Of an attribute of `#EXTINF` or `#EXTM3U`; none of one with another meaning. */
export function headersOfAttribute(name: string, value: ByteString): readonly HeaderField[] {
  const known = NAMES[name.replace(/^http-/, "")];
  return known === undefined ? [] : [[known, value]];
}

/** Of a `#` line between `#EXTINF` and URL; none of one with another meaning. */
export function headersOfOption(line: ByteString): readonly HeaderField[] {
  const [, option, setting] = VLC_OPTION.exec(line) ?? [];
  if (option !== undefined && setting !== undefined) {
    const name = /^http-/i.test(option) ? NAMES[option.slice("http-".length).toLowerCase()] : undefined;
    return name === undefined ? [] : [[name, unquoted(setting)]];
  }
  const [, json] = HTTP_OPTION.exec(line) ?? [];
  if (json !== undefined) return readJson(json);
  const [, property, value] = KODI_OPTION.exec(line) ?? [];
  if (property === undefined || value === undefined) return [];
  if (KODI_HEADERS.test(property)) return readPairs(asByteString(unquoted(value)));
  // Not Kodi's, but found in lists.
  return /^http-/i.test(property) ? headersOfAttribute(property.toLowerCase(), asByteString(unquoted(value))) : [];
}

/** Those that may be sent, each name once; what stands first counts. */
export function joinHeaders(...groups: readonly (readonly HeaderField[])[]): readonly HeaderField[] {
  const joined = new Map<string, HeaderField>();
  for (const [name, value] of groups.flat()) {
    const key = name.toLowerCase();
    const isSendable = TOKEN.test(name) && !REFUSED.test(name) && value !== "" && value.length <= MAX_VALUE_BYTES;
    if (isSendable && !joined.has(key) && joined.size < MAX_HEADERS) joined.set(key, [name, value]);
  }
  return [...joined.values()];
}

/** `Name=value&Name=value`, percent-encoded or not. A `&` that no header's name follows belongs to the value. */
function readPairs(text: ByteString): HeaderField[] {
  const pairs: { name: string; value: string }[] = [];
  for (const part of text.split("&", MAX_HEADERS * 2)) {
    const equals = part.indexOf("=");
    const name = trimAsciiBlanks(part.slice(0, Math.max(equals, 0)));
    if (isHeaderName(name) || KODI_SWITCH.test(name)) pairs.push({ name, value: part.slice(equals + 1) });
    else if (pairs.length > 0) pairs.at(-1)!.value += `&${part}`;
  }
  return pairs
    .filter(({ name }) => !KODI_SWITCH.test(name))
    .map(({ name, value }) => [properName(name), trimAsciiBlanks(percentDecode(asByteString(value)) ?? value)]);
}

function isHeaderName(text: string): boolean {
  return (
    properName(text) !== text || Object.values(NAMES).includes(text) || /^(?:accept|[a-z]+(?:-[a-z0-9]+)+)$/i.test(text)
  );
}

function properName(text: string): string {
  return NAMES[text.toLowerCase().replace(/^http-/, "")] ?? text;
}

/** Some write it with single quotes, which JSON has not. */
function readJson(text: string): HeaderField[] {
  try {
    const object: unknown = JSON.parse(text.includes('"') ? text : text.replaceAll("'", '"'));
    if (typeof object !== "object" || object === null) return [];
    return Object.entries(object).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[properName(name), String(value)] as const] : [],
    );
  } catch {
    return [];
  }
}

function unquoted(text: string): string {
  const bare = trimAsciiBlanks(text);
  return /^(["']).*\1$/s.test(bare) ? bare.slice(1, -1) : bare;
}
