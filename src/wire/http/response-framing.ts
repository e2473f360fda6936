/** Where the body of an upstream's response ends (RFC 9112 section 6.3; http-proxy.md sections 4 and 5). */
import { type HeaderField, headerValue, listElements } from "./header-fields.ts";

export type BodyFraming =
  /** The response is complete with its head. */
  | { readonly kind: "none" }
  /** Bytes, at least 1. */
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

const NONE: BodyFraming = { kind: "none" };
const CHUNKED: BodyFraming = { kind: "chunked" };
const UNTIL_CLOSE: BodyFraming = { kind: "until-close" };

/**
 * Undefined when the lengths of a body contradict each other or one is no number: guessing is how responses are smuggled
 * (RFC 9112 section 11.1). `Transfer-Encoding` beside `Content-Length` governs.
 * @param method of the request
 */
export function responseFraming(
  method: string,
  status: number,
  headers: readonly HeaderField[],
): BodyFraming | undefined {
  if (method === "HEAD" || status === 204 || status === 304) return NONE;
  const codings = transferCodings(headers);
  if (codings) return codings.at(-1) === "chunked" ? CHUNKED : UNTIL_CLOSE;
  if (headerValue(headers, "content-length") === undefined) return UNTIL_CLOSE;
  const length = contentLength(headers);
  return length === 0 ? NONE : length === undefined ? undefined : { kind: "length", length };
}

/** The codings of the body, lower case, the outermost last. Undefined without a `Transfer-Encoding`. */
export function transferCodings(headers: readonly HeaderField[]): string[] | undefined {
  if (headerValue(headers, "transfer-encoding") === undefined) return undefined;
  return listElements(headers, "transfer-encoding").map((coding) => coding.toLowerCase());
}

/** Bytes. The same length may stand there several times (RFC 9112 section 6.3). */
function contentLength(headers: readonly HeaderField[]): number | undefined {
  const values = listElements(headers, "content-length");
  const lengths = new Set(values.map((value) => (/^\d+$/.test(value) ? Number(value) : Number.NaN)));
  const [length] = lengths;
  return lengths.size === 1 && Number.isSafeInteger(length) ? length : undefined;
}
