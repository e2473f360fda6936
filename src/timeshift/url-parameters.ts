/** The query of a URL as a list, so that parameters can be taken out while all else stays byte for byte. */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";

export interface Parameter {
  /** As it stands in the URL. */
  readonly text: ByteString;
  readonly name: ByteString;
  /** Still percent-encoded; undefined without `=`. */
  readonly value: ByteString | undefined;
}

interface UrlParts {
  /** All before the first `?`. */
  readonly path: ByteString;
  readonly parameters: readonly Parameter[];
}

/** @param url a path or an absolute URL */
export function splitUrl(url: ByteString): UrlParts {
  const mark = url.indexOf("?");
  if (mark < 0) return { path: url, parameters: [] };
  return { path: url.slice(0, mark), parameters: parseParameters(url.slice(mark + 1)) };
}

/** The `?` goes with the last parameter. */
export function joinUrl({ path, parameters }: UrlParts): ByteString {
  if (parameters.length === 0) return path;
  return asByteString(`${path}?${parameters.map(({ text }) => text).join("&")}`);
}

/** @param query without `?` */
export function parseParameters(query: ByteString): Parameter[] {
  return query.split("&").map(parseParameter);
}

export function parseParameter(text: ByteString): Parameter {
  const equals = text.indexOf("=");
  if (equals < 0) return { text, name: text, value: undefined };
  return { text, name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Names of the relay's own parameters are compared without regard to case (http.md section 2). */
export function isNamed(parameter: Parameter, name: string): boolean {
  return parameter.name.toLowerCase() === name.toLowerCase();
}
