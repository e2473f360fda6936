/** Requests as routes see them, and their collection from the pieces that a socket delivers. */
import { type HeaderField, headerValue } from "../wire/http/header-fields.ts";
import { type HeadErrorStatus, type RequestHead, RequestHeadParser } from "../wire/http/request.ts";
import type { ByteString } from "../wire/text/byte-string.ts";

export interface HttpRequest extends RequestHead {
  /** The effective value of a header: the last one wins, the case of `name` does not matter. */
  header(name: string): string | undefined;
  /** Complete; empty when there was none. */
  readonly body: Uint8Array;
}

export type ReaderOutcome =
  | { readonly kind: "more" }
  /** The head is complete and `length` bytes of body are awaited. */
  | { readonly kind: "body"; readonly length: number; readonly expectsContinue: boolean; readonly method: string }
  | { readonly kind: "request"; readonly request: HttpRequest }
  | { readonly kind: "error"; readonly status: HeadErrorStatus; readonly method: string };

const MORE: ReaderOutcome = { kind: "more" };
const EMPTY = new Uint8Array(0);

/** Collects one request. Holds at most `MAX_HEAD_BYTES` and what has come of a body of `MAX_BODY_BYTES`. */
export class RequestReader {
  readonly #parser = new RequestHeadParser();
  #head: RequestHead | undefined;
  #body: BodyBuffer | undefined;

  /** `body` is answered at most once; after `request` or `error` there is nothing to push any more. */
  push(piece: Uint8Array): ReaderOutcome {
    if (this.#head) return this.#pushBody(this.#head, piece);
    const outcome = this.#parser.push(piece);
    if (outcome.kind !== "complete") return outcome;
    const { head, consumed, bodyLength: length } = outcome;
    this.#head = head;
    this.#body = new BodyBuffer(length);
    const rest = piece.subarray(consumed);
    const { method } = head;
    const next = this.#pushBody(head, rest);
    if (next.kind === "request") return next;
    return { kind: "body", length, expectsContinue: rest.length === 0 && expectsContinue(head), method };
  }

  #pushBody(head: RequestHead, piece: Uint8Array): ReaderOutcome {
    const body = this.#body?.push(piece);
    return body ? { kind: "request", request: new CompleteRequest(head, body) } : MORE;
  }
}

/** RFC 9110 section 10.1.1: HTTP/1.0 clients never mean it. */
function expectsContinue({ headers, minorVersion }: RequestHead): boolean {
  return minorVersion > 0 && headerValue(headers, "expect")?.toLowerCase() === "100-continue";
}

/** Grows as bytes come, never because of a length that was only declared. */
class BodyBuffer {
  readonly #length: number;
  #bytes = EMPTY;
  #size = 0;

  constructor(length: number) {
    this.#length = length;
  }

  /** The body once it is complete. What follows it is ignored. */
  push(piece: Uint8Array): Uint8Array | undefined {
    const end = Math.min(this.#size + piece.length, this.#length);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#length, Math.max(end, 2 * this.#bytes.length)));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(piece.subarray(0, end - this.#size), this.#size);
    this.#size = end;
    return end === this.#length ? this.#bytes : undefined;
  }
}

class CompleteRequest implements HttpRequest {
  readonly method: string;
  readonly target: ByteString;
  readonly minorVersion: number;
  readonly headers: readonly HeaderField[];
  readonly body: Uint8Array;

  constructor(head: RequestHead, body: Uint8Array) {
    this.method = head.method;
    this.target = head.target;
    this.minorVersion = head.minorVersion;
    this.headers = head.headers;
    this.body = body;
  }

  header(name: string): string | undefined {
    return headerValue(this.headers, name);
  }
}
