/** Answers that a client may keep and asks about again: playlist and guide (http.md sections 17 and 22). */
import { isNoneMatch } from "../wire/http/conditional.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import type { Exchange } from "./route.ts";

/** @param etag with quotes */
export function validatorHeaders(etag: string): HeaderField[] {
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
