/** The order in which a request is looked at (http.md section 3). */
import type { RequestHandler } from "../http/connection.ts";
import { errorResponse } from "../http/response.ts";
import { LOG_INFO, type Log } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { type AccessControl, isAssetPath } from "./access-control.ts";
import type { ControlRoute, Exchange, Route } from "./route.ts";

interface RouterParts {
  readonly accessControl: AccessControl;
  /** Asked in this order for all but assets. */
  readonly routes: readonly (Route | ControlRoute)[];
  /** Serves all that `isAssetPath`, to everybody. */
  readonly assets?: Route;
  readonly log: Log;
}

export function router({ accessControl, routes, assets, log }: RouterParts): RequestHandler {
  return (request, connection) => {
    const { method, target } = request;
    if (log.level >= LOG_INFO) {
      log.info(`New client ${connection.peer} requested URL: ${shown(target)} (method: ${method})`);
    }
    const exchange = accessControl.admit(request, connection);
    if (!exchange) return;
    const isAnswered = isAssetPath(exchange.path)
      ? assets?.(exchange)
      : routes.some((route) => ask(route, exchange, accessControl));
    if (!isAnswered) connection.respond(errorResponse(404));
  };
}

function ask(route: Route | ControlRoute, exchange: Exchange, accessControl: AccessControl): boolean {
  if (typeof route === "function") return route(exchange);
  if (!route.owns(exchange.path)) return false;
  const refusal = accessControl.controlRefusal(exchange);
  if (refusal) exchange.connection.respond(refusal);
  else route.answer(exchange);
  return true;
}
