/** The order in which a request is looked at (http.md section 3). */
import type { RequestHandler } from "../http/request.ts";
import { errorResponse } from "../http/response.ts";
import { LOG_INFO, type Log } from "../system/log.ts";
import { splitTarget } from "../wire/url-label.ts";
import type { Route } from "./route.ts";

/** A secret in a target is never logged. */
function maskToken(target: string): string {
  return target.replace(/([?&]r2h-token=)[^&]*/gi, "$1***");
}

export function router(routes: readonly Route[], log: Log): RequestHandler {
  return (request, connection) => {
    const { method, target } = request;
    if (log.level >= LOG_INFO) {
      log.info(`New client ${connection.peer} requested URL: ${maskToken(target)} (method: ${method})`);
    }
    if (!target.startsWith("/")) {
      connection.respond(errorResponse(400));
      return;
    }
    const { path, query } = splitTarget(target);
    const exchange = { request, connection, path, query };
    if (!routes.some((route) => route(exchange))) connection.respond(errorResponse(404));
  };
}
