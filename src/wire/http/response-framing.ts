/** Where the body of an upstream's response ends (RFC 9112 section 6.3; http-proxy.md sections 4 and 5). */
import { type HeaderField, listElements } from "./header-fields.ts";

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
 * Undefined when the lengths of a body contradict each other: guessing is how responses are smuggled (RFC 9112 section 11.1).
 * One that cannot be read is none: the body then ends with its connection. `Transfer-Encoding` beside `Content-Length` governs.
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
  const [length, ...others] = contentLengths(headers);
  if (others.length > 0) return undefined;
  return length === 0 ? NONE : length === undefined ? UNTIL_CLOSE : { kind: "length", length };
}

/** Bytes, as `Content-Length` has them; undefined without one that can be read, and where they contradict each other. */
export function declaredLength(headers: readonly HeaderField[]): number | undefined {
  const [length, ...others] = contentLengths(headers);
  return others.length > 0 ? undefined : length;
}

/** The codings of the body, lower case, the outermost last. Undefined without a `Transfer-Encoding` that names any; `identity` is none. */
export function transferCodings(headers: readonly HeaderField[]): string[] | undefined {
  const named = listElements(headers, "transfer-encoding").map((coding) => coding.toLowerCase());
  const codings = named.filter((coding) => coding !== "identity");
  return codings.length === 0 ? undefined : codings;
}

/**
 * The different lengths, in bytes, that a head declares. The same one may stand there several times (RFC 9112 section 6.3); beside
 * one that cannot be read (`-1`, above 2^53, with a unit) none counts.
 */
function contentLengths(headers: readonly HeaderField[]): number[] {
  const values = listElements(headers, "content-length");
  const lengths = values.map((value) => (/^\d+$/.test(value) ? Number(value) : Number.NaN));
  return lengths.every(Number.isSafeInteger) ? [...new Set(lengths)] : [];
}
