/** Header fields, in HTTP and RTSP: lists, hop-by-hop headers, and the one way to write a head (RFC 9110 sections 5 and 7.6.1). */
import { trimBlanks } from "../text/blanks.ts";

/** The name is in the sender's spelling. One character of the value is one byte; it has no outer blanks. */
export type HeaderField = readonly [name: string, value: string];

/** Everything but what may stand in a header line (RFC 9110 section 5.5). */
const UNSAFE = /[^\t -~\x80-\xff]/g;
/** Besides what `Connection` names. Those of RFC 9110 section 7.6.1; framing headers are looked after elsewhere. */
const HOP_BY_HOP = /^(connection|keep-alive|te|trailer|upgrade|proxy-.*)$/i;

/** The effective value of a header: the last one wins. */
export function headerValue(headers: readonly HeaderField[], name: string): string | undefined {
  return headers.findLast((field) => isNamed(field, name))?.[1];
}

/** The elements of a comma-separated list over all lines of a header; empty ones are left out (RFC 9110 section 5.6.1). */
export function listElements(headers: readonly HeaderField[], name: string): string[] {
  return headers
    .filter((field) => isNamed(field, name))
    .flatMap(([, value]) => value.split(",").map(trimBlanks))
    .filter((element) => element !== "");
}

/** Names are compared without regard to case. */
export function isNamed([own]: HeaderField, name: string): boolean {
  return own.length === name.length && own.toLowerCase() === name.toLowerCase();
}

/** The headers that concern more than one connection, in their order. What frames the body always stays. */
export function endToEndHeaders(headers: readonly HeaderField[]): HeaderField[] {
  const named = new Set(listElements(headers, "connection").map((option) => option.toLowerCase()));
  named.delete("content-length");
  named.delete("transfer-encoding");
  return headers.filter(([name]) => !HOP_BY_HOP.test(name) && !named.has(name.toLowerCase()));
}

/** Start line, header lines and the empty line. What could end a line early becomes a space: nobody can add headers. */
export function emitMessageHead(startLine: string, headers: readonly HeaderField[]): Buffer<ArrayBuffer> {
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.from(lines.map((line) => line.replace(UNSAFE, " ")).join("\r\n"), "latin1");
}
