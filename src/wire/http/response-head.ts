/** Incremental parser of HTTP/1 response heads as players read them (RFC 9112 sections 4 and 5; http-proxy.md sections 4 and 9). */
import { LineCollector } from "../text/line-collector.ts";
import type { HeaderField } from "./header-fields.ts";
import { HeaderLines } from "./header-lines.ts";
import { type BodyFraming, responseFraming } from "./response-framing.ts";

/** Status line, header lines and the empty line together, those of interim responses too. */
const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
const MAX_RESPONSE_HEADER_COUNT = 256;

export interface ResponseHead {
  /** As it came, without its line end, if it is one of HTTP/1; else what it means in HTTP/1.1. */
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
const STATUS_LINE = new RegExp(`^HTTP/1\\.\\d [1-9]\\d\\d(?: ${VALUE_CHAR}*)?$`);
/** As curl and FFmpeg read them: of any version, of Shoutcast, with more blanks or none before the reason. */
const READABLE_STATUS_LINE = /^(?:HTTP(?:\/\d+(?:\.\d+)?)?|ICY)[\t ]+([1-9]\d\d)(?!\d)[\t ]*(.*)$/is;

/**
 * Takes the head of a final response in pieces of any size; how it is cut does not change the outcome. Interim responses
 * (1xx) are skipped, folded lines joined, bare LFs and empty lines before the status line accepted; a line that is no header is
 * left out. Holds at most `MAX_RESPONSE_HEAD_BYTES`.
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
  #endLine(collected: string, consumed: number): ResponseHeadOutcome {
    // Scripts on some systems make CR CR LF of a line end.
    const line = collected.endsWith("\r") ? collected.replace(/\r+$/, "") : collected;
    if (this.#state === "status-line") return line === "" ? MORE : this.#readStatusLine(line);
    return line === "" ? this.#endHeaders(consumed) : this.#readHeader(line);
  }

  #readStatusLine(line: string): ResponseHeadOutcome {
    const [, status, reason = ""] = READABLE_STATUS_LINE.exec(line) ?? [];
    this.#status = Number(status);
    // Nobody asked the upstream to switch, and what follows would not be HTTP.
    if (!this.#status || this.#status === SWITCHING_PROTOCOLS) return MALFORMED;
    this.#statusLine = STATUS_LINE.test(line) ? line : `HTTP/1.1 ${status} ${reason}`;
    this.#state = "headers";
    return MORE;
  }

  #readHeader(line: string): ResponseHeadOutcome {
    return this.#headers.add(line) === "too many" ? TOO_LARGE : MORE;
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
