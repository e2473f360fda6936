/** Incremental parser of HTTP/1 response heads (RFC 9112 sections 4 and 5; http-proxy.md sections 4 and 9). */
import { LineCollector } from "../text/line-collector.ts";
import type { HeaderField } from "./header-fields.ts";
import { HeaderLines } from "./header-lines.ts";
import { type BodyFraming, responseFraming } from "./response-framing.ts";

/** Status line, header lines and the empty line together, those of interim responses too. */
const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
const MAX_RESPONSE_HEADER_COUNT = 256;

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
const SWITCHING_PROTOCOLS = 101;

const VALUE_CHAR = "[\\t -~\\x80-\\xff]";
const STATUS_LINE = new RegExp(`^HTTP/1\\.\\d ([1-9]\\d\\d)(?: ${VALUE_CHAR}*)?$`);

/**
 * Takes the head of a final response in pieces of any size; how it is cut does not change the outcome. Interim responses
 * (1xx) are skipped, folded lines joined, bare LFs accepted. Holds at most `MAX_RESPONSE_HEAD_BYTES`.
 */
export class ResponseHeadParser {
  readonly #method: string;
  #state: "status-line" | "headers" | "over" = "status-line";
  #outcome: ResponseHeadOutcome = MORE;
  readonly #lines = new LineCollector(MAX_RESPONSE_HEAD_BYTES);
  readonly #headers = new HeaderLines(MAX_RESPONSE_HEADER_COUNT);
  #statusLine = "";
  #status = 0;

  /** @param method of the request: it decides whether a body follows */
  constructor(method: string) {
    this.#method = method;
  }

  /** Not to be called again once the outcome is `complete` or `error`. */
  push(piece: Uint8Array): ResponseHeadOutcome {
    let at = 0;
    while (at < piece.length && this.#state !== "over") {
      at = this.#lines.take(piece, at, piece.length);
      if (this.#lines.line !== undefined) this.#outcome = this.#endLine(this.#lines.line, at);
      if (this.#outcome === MORE && this.#lines.isFull) this.#outcome = TOO_LARGE;
      if (this.#outcome !== MORE) this.#state = "over";
    }
    return this.#outcome;
  }

  /** Reads the line that has ended `consumed` bytes into the piece. */
  #endLine(line: string, consumed: number): ResponseHeadOutcome {
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
    const problem = this.#headers.add(line);
    if (problem === undefined) return MORE;
    return problem === "malformed" ? MALFORMED : TOO_LARGE;
  }

  #endHeaders(consumed: number): ResponseHeadOutcome {
    const head = { statusLine: this.#statusLine, status: this.#status, headers: this.#headers.fields };
    if (head.status < 200) {
      this.#headers.clear();
      this.#state = "status-line";
      return MORE;
    }
    const framing = responseFraming(this.#method, head.status, head.headers);
    return framing ? { kind: "complete", head, consumed, framing } : BAD_LENGTH;
  }
}
