/** Answers that a client may keep and asks about again: playlist and guide (http.md sections 17 and 22). */
import type { ResponseHeader } from "../http/response.ts";
import { isNoneMatch } from "../wire/http/conditional.ts";
import type { Exchange } from "./route.ts";

/** @param etag with quotes */
export function validatorHeaders(etag: string): ResponseHeader[] {
  return [
    ["ETag", etag],
    ["Cache-Control", "no-cache"],
  ];
}

/** Answers 304 when the client's copy is good. */
export function isNotModified({ request, connection }: Exchange, etag: string): boolean {
  if (isNoneMatch(request.header("if-none-match"), etag)) return false;
  connection.respond({ status: 304, headers: [["Content-Length", "0"], ...validatorHeaders(etag)] });
  return true;
}
