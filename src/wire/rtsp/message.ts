/** RTSP/1.0 requests and responses (RFC 2326 sections 4, 6 and 7; rtsp.md sections 3 and 4), parsed in pieces and emitted. */
import { emitMessageHead, type HeaderField, headerValue } from "../http/header-fields.ts";
import { HeaderLines } from "../http/header-lines.ts";
import { LineCollector } from "../text/line-collector.ts";

export const MAX_START_LINE_BYTES = 4096;
/** Header lines and the empty line together. */
const MAX_RTSP_HEADER_BYTES = 64 * 1024;
const MAX_RTSP_HEADER_COUNT = 128;
/** A description of a session is the only body that is read. */
const MAX_RTSP_BODY_BYTES = 256 * 1024;

interface RtspResponseLine {
  readonly kind: "response";
  /** 100 to 999. */
  readonly status: number;
  readonly reason: string;
}

interface RtspRequestLine {
  readonly kind: "request";
  readonly method: string;
  /** As it came: an absolute URL or `*`. */
  readonly url: string;
}

interface RtspContent {
  /** All header lines in their order; `headerValue` finds the one that counts. */
  readonly headers: readonly HeaderField[];
  /** Without `Content-Length` there is none. */
  readonly body: Uint8Array;
}

export type RtspResponse = RtspResponseLine & RtspContent;
export type RtspRequest = RtspRequestLine & RtspContent;
export type RtspMessage = RtspResponse | RtspRequest;

export type RtspMessageError = "head too large" | "bad content length" | "body too large";

export type RtspMessageOutcome =
  | { readonly kind: "more" }
  /** `consumed` bytes of the last piece belong to the message. */
  | { readonly kind: "complete"; readonly message: RtspMessage; readonly consumed: number }
  | { readonly kind: "error"; readonly reason: RtspMessageError };

const MORE: RtspMessageOutcome = { kind: "more" };
const NO_BODY = new Uint8Array(0);

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE_CHAR = "[\\t -~\\x80-\\xff]";
/** Servers answer in the version that they like best, and mean the same. */
const VERSION = "RTSP/[12]\\.\\d";
/** Not bound to the start of the line: what a server leaves over of something else may stand before it. */
const RESPONSE_LINE = new RegExp(`${VERSION}[ \\t]+([1-9]\\d\\d)(?:[ \\t](${VALUE_CHAR}*))?$`);
const REQUEST_LINE = new RegExp(`^(${TOKEN}) +([!-~\\x80-\\xff]+) +${VERSION}[ \\t]*$`);

/** @param line without its line end */
export function parseStartLine(line: string): RtspResponseLine | RtspRequestLine | undefined {
  const response = RESPONSE_LINE.exec(line);
  if (response) return { kind: "response", status: Number(response[1]), reason: response[2] ?? "" };
  const request = REQUEST_LINE.exec(line);
  return request ? { kind: "request", method: request[1]!, url: request[2]! } : undefined;
}

/**
 * Takes what follows a start line in pieces of any size; how it is cut does not change the outcome. Folded lines are joined,
 * bare LFs accepted. Holds no more than the limits above.
 */
export class RtspMessageParser {
  readonly #startLine: RtspResponseLine | RtspRequestLine;
  #state: "headers" | "body" | "over" = "headers";
  #outcome: RtspMessageOutcome = MORE;
  readonly #lines = new LineCollector(MAX_RTSP_HEADER_BYTES);
  readonly #headers = new HeaderLines(MAX_RTSP_HEADER_COUNT);
  #body: Uint8Array = NO_BODY;
  #bodyBytes = 0;

  constructor(startLine: RtspResponseLine | RtspRequestLine) {
    this.#startLine = startLine;
  }

  /** Takes the bytes from `start` to before `end`. Not to be called again once the outcome is `complete` or `error`. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): RtspMessageOutcome {
    let at = start;
    while (at < end && this.#state !== "over") {
      at = this.#state === "headers" ? this.#takeLine(bytes, at, end) : this.#takeBody(bytes, at, end);
      if (this.#state === "body" && this.#bodyBytes === this.#body.length) this.#complete(at - start);
    }
    return this.#outcome;
  }

  #takeLine(bytes: Uint8Array, at: number, end: number): number {
    const stop = this.#lines.take(bytes, at, end);
    const { line } = this.#lines;
    if (line === "") this.#endHeaders();
    else if (line !== undefined) this.#readHeader(line);
    if (this.#state === "headers" && this.#lines.isFull) this.#fail("head too large");
    return stop;
  }

  /** A line that makes no sense says nothing; the answer may still be one. */
  #readHeader(line: string): void {
    if (this.#headers.add(line) === "too many") this.#fail("head too large");
  }

  /** Where the body ends decides where the next frame begins: a length that is no number cannot be ignored. */
  #endHeaders(): void {
    const length = headerValue(this.#headers.fields, "content-length") ?? "0";
    if (!/^\d+$/.test(length)) this.#fail("bad content length");
    else if (Number(length) > MAX_RTSP_BODY_BYTES) this.#fail("body too large");
    else {
      this.#state = "body";
      if (Number(length) > 0) this.#body = new Uint8Array(Number(length));
    }
  }

  #takeBody(bytes: Uint8Array, at: number, end: number): number {
    const part = bytes.subarray(at, Math.min(end, at + this.#body.length - this.#bodyBytes));
    this.#body.set(part, this.#bodyBytes);
    this.#bodyBytes += part.length;
    return at + part.length;
  }

  #complete(consumed: number): void {
    const message = { ...this.#startLine, headers: this.#headers.fields, body: this.#body };
    this.#state = "over";
    this.#outcome = { kind: "complete", message, consumed };
  }

  #fail(reason: RtspMessageError): void {
    this.#state = "over";
    this.#outcome = { kind: "error", reason };
  }
}

/** @param url without blanks or control characters, as `rtsp-url.ts` makes it */
export function emitRtspRequest(method: string, url: string, headers: readonly HeaderField[]): Buffer<ArrayBuffer> {
  return emitMessageHead(`${method} ${url} RTSP/1.0`, headers);
}

/** A response without a body, as the relay answers a server's requests. */
export function emitRtspResponse(status: number, reason: string, headers: readonly HeaderField[]): Buffer<ArrayBuffer> {
  return emitMessageHead(`RTSP/1.0 ${status} ${reason}`, headers);
}
