/** Responses that the server makes itself, and the heads of streams (http.md sections 17 and 19). */

import { emitMessageHead, type HeaderField, isNamed } from "../wire/http/header-fields.ts";
import { escapeHtml } from "../wire/http/html.ts";

export interface HttpResponse {
  readonly status: number;
  /** Written in this order and spelling. `Connection: close` is added behind `Content-Type` unless one is given. */
  readonly headers: readonly HeaderField[];
  /** Text is sent as UTF-8. Left out when the request was HEAD. */
  readonly body?: string | Uint8Array;
  /** In the place of `body`: the next piece is asked for when the client has taken the last, whose memory may then be used again. */
  readonly pieces?: Iterator<Uint8Array>;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  414: "URI Too Long",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  508: "Loop Detected",
};

const RETRY_AFTER_S = 5;

/** Up to this size a body is copied behind its head, so that both go out in one write. */
const JOIN_MAX_BYTES = 64 * 1024;

/** An error page. `extraHeaders` stand behind Content-Type and Connection. `text` says more than the usual words of the status. */
export function errorResponse(
  status: number,
  extraHeaders: readonly HeaderField[] = [],
  text = REASONS[status] ?? "",
): HttpResponse {
  return {
    status,
    headers: [["Content-Type", "text/html; charset=utf-8"], ["Connection", "close"], ...extraHeaders],
    body: `<!doctype html><title>${status}</title>${escapeHtml(text)}`,
  };
}

/** What this costs is limited, and the limit is reached: the client may come again. */
export function busyResponse(): HttpResponse {
  return errorResponse(503, [["Retry-After", String(RETRY_AFTER_S)]]);
}

/** What begins an answer whose body follows piece by piece. */
export interface StreamHead {
  readonly status: number;
  /** Somebody else's, to be passed on; by default the usual words of the status. */
  readonly statusLine?: string | undefined;
  readonly headers: readonly HeaderField[];
}

/** Status line, headers completed by `standing`, and the empty line. */
export function emitHead(
  { status, statusLine = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`, headers }: StreamHead,
  standing: readonly HeaderField[],
): Buffer<ArrayBuffer> {
  return emitMessageHead(statusLine, completeHeaders(headers, standing));
}

/**
 * What to write first, one after the other; a large body is not copied, so it must not change until it was sent. Of `pieces` it
 * holds the first one only.
 * @param standing headers as in `completeHeaders`
 */
export function emitResponse(
  response: HttpResponse,
  withBody: boolean,
  standing: readonly HeaderField[] = [],
): Uint8Array[] {
  const head = emitHead(response, standing);
  const body = (withBody ? response.pieces?.next().value : undefined) ?? response.body ?? "";
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (!withBody || bytes.length === 0) return [head];
  return bytes.length <= JOIN_MAX_BYTES ? [Buffer.concat([head, bytes])] : [head, bytes];
}

/**
 * Adds what `headers` lack: `Connection: close` behind `Content-Type`, and `standing` behind `Connection`. Only cookies are
 * added to others of their name (RFC 6265 section 3).
 */
function completeHeaders(headers: readonly HeaderField[], standing: readonly HeaderField[]): readonly HeaderField[] {
  const find = (name: string) => headers.findIndex((field) => isNamed(field, name));
  const missing = standing.filter(([name]) => name === "Set-Cookie" || find(name) < 0);
  const connection = find("connection");
  if (connection >= 0) return headers.toSpliced(connection + 1, 0, ...missing);
  return headers.toSpliced(find("content-type") + 1, 0, ["Connection", "close"], ...missing);
}
