/** What a proxy in front of this relay says about its client (http.md section 15). */
import { trimBlanks } from "../text/blanks.ts";
import { type HeaderField, headerValue } from "./header-fields.ts";

/** The client, verbatim; empty when there is none. */
export function forwardedFor(headers: readonly HeaderField[]): string {
  return firstElement(headers, "x-forwarded-for");
}

/** The host that the client has asked for, verbatim; empty when there is none. */
export function forwardedHost(headers: readonly HeaderField[]): string {
  return firstElement(headers, "x-forwarded-host");
}

/** The scheme that the client has asked by, verbatim; empty when there is none. */
export function forwardedProto(headers: readonly HeaderField[]): string {
  return firstElement(headers, "x-forwarded-proto");
}

/** The proxy nearest to the client is named first. */
function firstElement(headers: readonly HeaderField[], name: string): string {
  return trimBlanks((headerValue(headers, name) ?? "").split(",", 1)[0]!);
}
