/** What the heads of requests and responses share: lists, hop-by-hop headers, safe output (RFC 9110 sections 5 and 7.6.1). */
import { trimBlanks } from "../text/blanks.ts";
import type { HeaderField } from "./request.ts";

/** Everything but what may stand in a header line (RFC 9110 section 5.5). */
const UNSAFE = /[^\t -~\x80-\xff]/g;
/** Besides what `Connection` names. Those of RFC 9110 section 7.6.1; framing headers are looked after elsewhere. */
const HOP_BY_HOP = /^(connection|keep-alive|te|trailer|upgrade|proxy-.*)$/i;

/** The elements of a comma-separated list over all lines of a header; empty ones are left out (RFC 9110 section 5.6.1). */
export function listElements(headers: readonly HeaderField[], name: string): string[] {
  return headers
    .filter((field) => isNamed(field, name))
    .flatMap((field) => field.value.split(",").map(trimBlanks))
    .filter((element) => element !== "");
}

export function isNamed(field: HeaderField, name: string): boolean {
  return field.name.length === name.length && field.name.toLowerCase() === name.toLowerCase();
}

/** The headers that concern more than one connection, in their order. What frames the body always stays. */
export function endToEndHeaders(headers: readonly HeaderField[]): HeaderField[] {
  const named = new Set(listElements(headers, "connection").map((option) => option.toLowerCase()));
  named.delete("content-length");
  named.delete("transfer-encoding");
  return headers.filter(({ name }) => !HOP_BY_HOP.test(name) && !named.has(name.toLowerCase()));
}

/** Start line, header lines and the empty line. What could end a line early becomes a space: nobody can add headers. */
export function emitMessageHead(startLine: string, headers: readonly HeaderField[]): Buffer<ArrayBuffer> {
  const lines = [startLine, ...headers.map(({ name, value }) => `${name}: ${value}`), "", ""];
  return Buffer.from(lines.map((line) => line.replace(UNSAFE, " ")).join("\r\n"), "latin1");
}
