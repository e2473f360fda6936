/** Lines that hold URLs without an `#EXTINF`, and several URLs in one line (m3u.md section 4). */
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";

const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
/** What joins URLs; a fragment is none, nor a scheme alone. */
const JOINT = /#(?=[a-z][a-z0-9+.-]*:\/\/[^#])/i;
/** Also the comma that Chinese keyboards have, in UTF-8. */
const NAMED_URL = /^(.*?)(?:,|\xef\xbc\x8c)[\t ]*([a-z][a-z0-9+.-]*:\/\/.*)$/is;
const GENRE = /^(.*?)(?:,|\xef\xbc\x8c)[\t ]*#genre#/is;
/** All before the path. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?/i;
/** Names of files that every channel of a server has. */
const USUAL_FILE = /^(?:index|playlist|master|main|mono|video|live|stream|chunklist)(?:[-_.]\w+)*$/i;

interface NamedUrl {
  readonly name: ByteString;
  readonly url: ByteString;
}

/** Whether a text is an absolute URL. */
export function isUrl(text: string): boolean {
  return URL_START.test(text);
}

/** `http://a/1#http://b/1`: the sources of one channel. */
export function splitJoined(text: ByteString): readonly ByteString[] {
  return text.includes("#") ? text.split(JOINT).map(trimAsciiBlanks) : [text];
}

/** A line `name,url` of a text list. */
export function readNamedUrl(line: ByteString): NamedUrl | undefined {
  const [, name, url] = NAMED_URL.exec(line) ?? [];
  if (name === undefined || url === undefined || isUrl(line) || name.startsWith("<")) return undefined;
  return { name: trimAsciiBlanks(asByteString(name)), url: asByteString(url) };
}

/** The group of a line `group,#genre#` of a text list, which is that of all lines behind it; it may be empty. */
export function readGenre(line: ByteString): ByteString | undefined {
  const [, name] = GENRE.exec(line) ?? [];
  return name === undefined ? undefined : trimAsciiBlanks(asByteString(name));
}

/** A name for an entry that has none: the last part of the path, as the others and the query may be somebody's secret. */
export function nameOfUrl(url: ByteString): ByteString {
  const [path = ""] = url.replace(ORIGIN, "").split(/[?#|$]/, 1);
  const parts = path.split("/").filter((part) => part !== "");
  const last = parts.at(-1) ?? url;
  const isUsual = parts.length > 2 && USUAL_FILE.test(last);
  return asByteString(isUsual ? `${parts.at(-2)}/${last}` : last);
}
