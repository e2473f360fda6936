/** What can go wrong with an HTTP upstream before its response head: the client is then answered 503, or 508 for a loop. */
import { UpstreamError } from "../../relay/upstream.ts";

export type HttpFailure = "unresolved" | "loop" | "unreachable" | "timeout" | "bad-response" | "bad-playlist" | "busy";

export class HttpUpstreamError extends UpstreamError {
  constructor(code: HttpFailure, message: string) {
    super(code, message, code === "loop" ? 508 : 503);
  }
}
