/** What a proxy in front of this relay says about its client (http.md section 15). */
import { trimBlanks } from "../text/blanks.ts";
import { type HeaderField, headerValue } from "./header-fields.ts";

/** The first element of `X-Forwarded-For`, which is the client, verbatim; empty when there is none. */
export function forwardedFor(headers: readonly HeaderField[]): string {
  return trimBlanks((headerValue(headers, "x-forwarded-for") ?? "").split(",", 1)[0]!);
}
