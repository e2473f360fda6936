/** Incremental parser of HTTP/1 response heads (RFC 9112 sections 4 and 5; http-proxy.md sections 4 and 9). */
import { trimBlanks } from "./header-fields.ts";
import type { HeaderField } from "./request.ts";
import { type BodyFraming, responseFraming } from "./response-framing.ts";

/** Status line, header lines and the empty line together, those of interim responses too. */
export const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
export const MAX_RESPONSE_HEADER_COUNT = 256;

export interface ResponseHead {
  /** As it came, without its line end. */
  readonly statusLine: string;
  /** 200 to 999. */
  readonly status: number;
  /** All header lines in their order, repeated ones too. */
  readonly headers: readonly HeaderField[];
}

export type ResponseHeadOutcome =
  | { readonly kind: "more" }
  /** `consumed` bytes of the last piece belong to the head. */
  | {
      readonly kind: "complete";
      readonly head: ResponseHead;
      readonly consumed: number;
      readonly framing: BodyFraming;
    }
  | { readonly kind: "error"; readonly reason: "malformed head" | "head too large" | "contradictory body length" };

const MORE: ResponseHeadOutcome = { kind: "more" };
const MALFORMED: ResponseHeadOutcome = { kind: "error", reason: "malformed head" };
const TOO_LARGE: ResponseHeadOutcome = { kind: "error", reason: "head too large" };
const BAD_LENGTH: ResponseHeadOutcome = { kind: "error", reason: "contradictory body length" };
const LF = 0x0a;
const SWITCHING_PROTOCOLS = 101;

const VALUE_CHAR = "[\\t -~\\x80-\\xff]";
const STATUS_LINE = new RegExp(`^HTTP/1\\.\\d ([1-9]\\d\\d)(?: ${VALUE_CHAR}*)?$`);
/** A blank before the colon is forbidden to send and has to be cut out by a proxy (RFC 9112 section 5.1). */
const HEADER_LINE = new RegExp(`^([!#$%&'*+.^_\`|~0-9A-Za-z-]+)[\\t ]*:(${VALUE_CHAR}*)$`);
const FOLDED_LINE = new RegExp(`^[\\t ]${VALUE_CHAR}*$`);

/**
 * Takes the head of a final response in pieces of any size; how it is cut does not change the outcome. Interim responses
 * (1xx) are skipped, folded lines joined, bare LFs accepted. Holds at most `MAX_RESPONSE_HEAD_BYTES`.
 */
export class ResponseHeadParser {
  readonly #method: string;
  #state: "status-line" | "headers" | "over" = "status-line";
  #outcome: ResponseHeadOutcome = MORE;
  /** The line that has not ended yet. */
  #line = "";
  #size = 0;
  #statusLine = "";
  #status = 0;
  #headers: HeaderField[] = [];

  /** @param method of the request: it decides whether a body follows */
  constructor(method: string) {
    this.#method = method;
  }

  /** Not to be called again once the outcome is `complete` or `error`. */
  push(piece: Uint8Array): ResponseHeadOutcome {
    let at = 0;
    while (at < piece.length && this.#state !== "over") {
      const newline = piece.indexOf(LF, at);
      const lineEnd = newline < 0 ? piece.length : newline + 1;
      const end = Math.min(lineEnd, at + MAX_RESPONSE_HEAD_BYTES - this.#size);
      this.#line += Buffer.from(piece.buffer, piece.byteOffset + at, end - at).toString("latin1");
      this.#size += end - at;
      at = end;
      if (piece[at - 1] === LF) this.#outcome = this.#endLine(at);
      if (this.#outcome === MORE && this.#size === MAX_RESPONSE_HEAD_BYTES) this.#outcome = TOO_LARGE;
      if (this.#outcome !== MORE) this.#state = "over";
    }
    return this.#outcome;
  }

  /** Reads the line that has ended `consumed` bytes into the piece. */
  #endLine(consumed: number): ResponseHeadOutcome {
    const line = this.#line.slice(0, this.#line.endsWith("\r\n") ? -2 : -1);
    this.#line = "";
    if (this.#state === "status-line") return this.#readStatusLine(line);
    return line === "" ? this.#endHeaders(consumed) : this.#readHeader(line);
  }

  #readStatusLine(line: string): ResponseHeadOutcome {
    this.#status = Number(STATUS_LINE.exec(line)?.[1]);
    // Nobody asked the upstream to switch, and what follows would not be HTTP.
    if (!this.#status || this.#status === SWITCHING_PROTOCOLS) return MALFORMED;
    this.#statusLine = line;
    this.#state = "headers";
    return MORE;
  }

  #readHeader(line: string): ResponseHeadOutcome {
    const last = this.#headers.at(-1);
    if (last && FOLDED_LINE.test(line)) {
      this.#headers[this.#headers.length - 1] = { name: last.name, value: joinFold(last.value, trimBlanks(line)) };
      return MORE;
    }
    const match = HEADER_LINE.exec(line);
    if (!match) return MALFORMED;
    if (this.#headers.length === MAX_RESPONSE_HEADER_COUNT) return TOO_LARGE;
    this.#headers.push({ name: match[1]!, value: trimBlanks(match[2]!) });
    return MORE;
  }

  #endHeaders(consumed: number): ResponseHeadOutcome {
    const head = { statusLine: this.#statusLine, status: this.#status, headers: this.#headers };
    if (head.status < 200) {
      this.#headers = [];
      this.#state = "status-line";
      return MORE;
    }
    const framing = responseFraming(this.#method, head.status, head.headers);
    return framing ? { kind: "complete", head, consumed, framing } : BAD_LENGTH;
  }
}

/** RFC 9112 section 5.2: a proxy replaces the fold by a space. */
function joinFold(value: string, continuation: string): string {
  return value && continuation ? `${value} ${continuation}` : value + continuation;
}
