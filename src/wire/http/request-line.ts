/** The first line of a request as clients send it: set-top boxes, proxies, a person with nc (RFC 9112 section 3; http.md section 2). */
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";

interface RequestLine {
  /** The usual ones in capitals, any other as it came. */
  readonly method: string;
  /** `/path?query` or `*`; what else it may be is for others to refuse. Without blanks, otherwise raw. */
  readonly target: ByteString;
  /** Of a target that was a whole URL: it is meant in the place of `Host` (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
  /** The digit behind `HTTP/1.`. */
  readonly minorVersion: number;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?=[\t ])/;
/** RFC 9110 section 9.1 knows no other spelling than capitals; who writes `get` means nothing else. */
const USUAL_METHOD = /^(get|head|post|put|patch|delete|options)$/i;
const VERSION = /^HTTP\/1\.(\d)$/i;
const TARGET = /^[\t -~\x80-\xff]+$/;
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/is;

/** @param line byte string without its line end */
export function parseRequestLine(line: string): RequestLine | undefined {
  const text = trimAsciiBlanks(line);
  const method = methodOf(text);
  const end = Math.max(text.lastIndexOf(" "), text.lastIndexOf("\t"));
  const minorVersion = VERSION.exec(text.slice(end + 1))?.[1];
  const written = text.slice(methodLength(text), Math.max(end, 0));
  const blankless = trimAsciiBlanks(written);
  if (method === "" || minorVersion === undefined || !TARGET.test(blankless)) return undefined;
  return { method, minorVersion: Number(minorVersion), ...originForm(withoutBlanks(blankless)) };
}

/** Also of a line that is no request, or not yet; empty where none can be told. */
export function methodOf(line: string): string {
  const [method = ""] = METHOD.exec(line) ?? [];
  return USUAL_METHOD.test(method) ? method.toUpperCase() : method;
}

function methodLength(line: string): number {
  return METHOD.exec(line)?.[0].length ?? 0;
}

/** Names of channels are full of them, and players that send a URL as it stands in a list are too many to refuse. */
function withoutBlanks(target: string): string {
  return target.replaceAll(" ", "%20").replaceAll("\t", "%09");
}

/** RFC 9112 section 3.2: a URL that is asked of us is ours, whatever it calls us. We are nobody's forward proxy. */
function originForm(target: string): Pick<RequestLine, "target" | "authority"> {
  const [, authority, rest = ""] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined) return { target: asByteString(target), authority };
  return { target: asByteString(rest.startsWith("/") ? rest : `/${rest}`), authority };
}
