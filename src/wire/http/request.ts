/** Incremental parser of HTTP/1 request heads (RFC 9112; http.md section 2). */

import { trimBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { LineCollector } from "../text/line-collector.ts";
import { type HeaderField, isNamed } from "./header-fields.ts";
import { methodOf, parseRequestLine } from "./request-line.ts";

/** Empty lines, request line, header lines and the empty line together. */
const MAX_HEAD_BYTES = 8192;
const MAX_HEADER_COUNT = 128;
export const MAX_TARGET_BYTES = 2047;
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface RequestHead {
  /** The usual ones in capitals. */
  readonly method: string;
  /** Raw, but for the authority of a whole URL, which stands in `Host`, and for blanks, which are percent-encoded. */
  readonly target: ByteString;
  /** The digit behind `HTTP/1.`. */
  readonly minorVersion: number;
  /** All header lines that make sense in their order, repeated ones too. */
  readonly headers: readonly HeaderField[];
}

/** Malformed, body too large, target too long, head too large, transfer coding not supported. */
export type HeadErrorStatus = 400 | 413 | 414 | 431 | 501;

export type HeadOutcome =
  | { readonly kind: "more" }
  /** `consumed` bytes of the last piece belong to the head; `bodyLength` bytes of body follow it. */
  | { readonly kind: "complete"; readonly head: RequestHead; readonly consumed: number; readonly bodyLength: number }
  /** `method` is empty when not even that was understood. */
  | { readonly kind: "error"; readonly status: HeadErrorStatus; readonly method: string };

const TRANSFER_ENCODING = "transfer-encoding";
const MORE: HeadOutcome = { kind: "more" };

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE_CHAR = "[\\t -~\\x80-\\xff]";
const TARGET_TOO_LONG = new RegExp(`^[\\t ]*${TOKEN}[\\t ]+[!-~\\x80-\\xff]${VALUE_CHAR}{${MAX_TARGET_BYTES}}`);
const HEADER_LINE = new RegExp(`^(${TOKEN}):(${VALUE_CHAR}*)$`);
const PRINTABLE_LINE = new RegExp(`^${VALUE_CHAR}*$`);
const STARTS_BLANK = /^[\t ]/;
/** RFC 9112 section 5.1: a server must refuse it, for other readers take it for the header. */
const BLANK_BEFORE_COLON = new RegExp(`^${TOKEN}[\\t ]+:`);

/** Takes a head in pieces of any size; how it is cut does not change the outcome. Holds at most `MAX_HEAD_BYTES`. */
export class RequestHeadParser {
  /** `start`: empty lines may still precede the request line. `over`: the outcome is known. */
  #state: "start" | "headers" | "over" = "start";
  #outcome: HeadOutcome = MORE;
  readonly #lines = new LineCollector(MAX_HEAD_BYTES);
  #method = "";
  #target = asByteString("");
  #authority: string | undefined;
  #minorVersion = 0;
  #headers: HeaderField[] = [];

  /** Not to be called again once the outcome is `complete` or `error`. */
  push(piece: Uint8Array): HeadOutcome {
    let at = 0;
    while (at < piece.length && this.#state !== "over") {
      at = this.#lines.take(piece, at, piece.length);
      const status = this.#checkLine(at) ?? (this.#lines.isFull ? this.#tooLarge() : undefined);
      if (status !== undefined) this.#end({ kind: "error", status, method: this.#method });
    }
    return this.#outcome;
  }

  /** Reads the line if it has ended, `consumed` bytes into the piece. Answers why the request is refused, if it is. */
  #checkLine(consumed: number): HeadErrorStatus | undefined {
    const { line } = this.#lines;
    if (line === undefined) return undefined;
    if (this.#state === "headers") return line === "" ? this.#complete(consumed) : this.#readHeader(line);
    return line === "" ? undefined : this.#readRequestLine(line);
  }

  #readRequestLine(line: string): HeadErrorStatus | undefined {
    this.#method = methodOf(trimBlanks(line));
    const parsed = parseRequestLine(line);
    if (!parsed) return TARGET_TOO_LONG.test(line) ? 414 : 400;
    if (parsed.target.length > MAX_TARGET_BYTES) return 414;
    this.#target = parsed.target;
    this.#authority = parsed.authority;
    this.#minorVersion = parsed.minorVersion;
    this.#state = "headers";
    return undefined;
  }

  #readHeader(line: string): HeadErrorStatus | undefined {
    if (STARTS_BLANK.test(line)) return this.#checkFold(line);
    const match = HEADER_LINE.exec(line);
    // What is no header says nothing to anybody, and is no reason to leave a set-top box without its picture.
    if (!match) return PRINTABLE_LINE.test(line) && !BLANK_BEFORE_COLON.test(line) ? undefined : 400;
    if (this.#headers.length === MAX_HEADER_COUNT) return 431;
    this.#headers.push([match[1]!, trimBlanks(match[2]!)]);
    return undefined;
  }

  #checkFold(line: string): HeadErrorStatus | undefined {
    const last = this.#headers.at(-1);
    // A continuation of no header at all would be a way to smuggle one past another reader (RFC 9112 section 2.2).
    if (!last || !PRINTABLE_LINE.test(line)) return 400;
    // Who reads it has another idea of where the request ends.
    return isNamed(last, TRANSFER_ENCODING) ? 501 : undefined;
  }

  /** Two readers that disagree about where a body ends are how requests are smuggled (RFC 9112 section 11.2). */
  #complete(consumed: number): HeadErrorStatus | undefined {
    const headers = withHost(this.#headers, this.#authority);
    if (!hasNoCoding(headers)) return 501;
    const [bodyLength = 0, ...others] = contentLengths(headers);
    if (others.length > 0) return 400;
    if (bodyLength > MAX_BODY_BYTES) return 413;
    const head = { method: this.#method, target: this.#target, minorVersion: this.#minorVersion, headers };
    this.#end({ kind: "complete", head, consumed, bodyLength });
    return undefined;
  }

  #tooLarge(): HeadErrorStatus | undefined {
    if (this.#state === "over") return undefined;
    if (this.#state === "headers") return 431;
    this.#method = methodOf(trimBlanks(this.#lines.pending));
    return TARGET_TOO_LONG.test(this.#lines.pending) ? 414 : 431;
  }

  #end(outcome: HeadOutcome): void {
    this.#state = "over";
    this.#outcome = outcome;
  }
}

/** RFC 9112 section 3.2.2: beside a URL in the request line, `Host` is to be ignored. */
function withHost(headers: readonly HeaderField[], authority: string | undefined): readonly HeaderField[] {
  if (authority === undefined) return headers;
  return [["Host", authority], ...headers.filter((field) => !isNamed(field, "host"))];
}

/** `identity` means none (RFC 2616 section 3.6; RFC 7230 has taken it back, clients have not). An empty coding means nothing. */
function hasNoCoding(headers: readonly HeaderField[]): boolean {
  return headers
    .filter((field) => isNamed(field, TRANSFER_ENCODING))
    .every(([, value]) => value.split(",").every((coding) => trimBlanks(coding).toLowerCase() === "identity"));
}

/** The different lengths a head declares, from repeated headers and from lists in one header (RFC 9112 section 6.3). */
function contentLengths(headers: readonly HeaderField[]): number[] {
  const values = headers
    .filter((field) => isNamed(field, "content-length"))
    .flatMap(([, value]) => value.split(",").map(trimBlanks));
  return [...new Set(values)].map((value) => (/^\d+$/.test(value) ? Number(value) : 0));
}
