/** What can go wrong with an HTTP upstream before its response head: the client is then answered 503, or 508 for a loop. */

export type HttpFailure = "unresolved" | "loop" | "unreachable" | "timeout" | "bad-response" | "bad-playlist";

export class HttpUpstreamError extends Error {
  readonly code: HttpFailure;

  constructor(code: HttpFailure, message: string) {
    super(message);
    this.code = code;
  }
}
