/** `/http/…` and `/https/…`: what an HTTP upstream answers, relayed without losing a byte (http-proxy.md). */
import { errorResponse } from "../http/response.ts";
import { readSeekRequest } from "../timeshift/seek-request.ts";
import { resolveUpstreamUrl } from "../timeshift/upstream-url.ts";
import { clientZone } from "../timeshift/zones.ts";
import { CLIENT_STATE } from "../wire/status/client-state.ts";
import {
  CONSUMED_PARAMETERS,
  type ProxyScheme,
  type ProxyUrl,
  parseProxyUrl,
  takeParameters,
} from "../wire/url/proxy-url.ts";
import { admit } from "./client-limit.ts";
import { requestedInterface } from "./interface-parameter.ts";
import { type HttpProxyParts, RelayedRequest } from "./relayed-request.ts";
import type { Exchange, Route } from "./route.ts";

const PREFIX = /^\/(https?)\//;
const SCHEME = /^(https?):\/\//;

export function httpProxyRoute(parts: HttpProxyParts): Route {
  return (exchange) => {
    const match = PREFIX.exec(exchange.path);
    if (!match) return false;
    const target = exchange.query === "" ? exchange.path : `${exchange.path}?${exchange.query}`;
    serveHttp(parts, exchange, `${match[1]}://${target.slice(match[0].length)}`);
    return true;
  };
}

/**
 * Answers with what the server of a URL answers.
 * @param url `http://…` or `https://…` with all parameters of the request; a service's with the request's query merged in
 * @param serviceUrl as the playlist has it; undefined for a URL that came whole from a client
 */
export function serveHttp(parts: HttpProxyParts, exchange: Exchange, url: string, serviceUrl?: string): void {
  const { connection } = exchange;
  const upstream = findUpstream(parts, exchange, url, serviceUrl);
  if (typeof upstream === "number") {
    connection.respond(errorResponse(upstream));
    return;
  }
  const admitted = admit(parts, exchange, "http", CLIENT_STATE.httpConnecting);
  if (!admitted) return;
  parts.accessLog.admitted(exchange, "http", upstream.unfilled);
  const relayed = new RelayedRequest(parts, exchange, upstream.url, upstream.interfaceName, admitted.client);
  connection.onClose = () => {
    relayed.close();
    admitted.leave();
  };
  relayed.start();
}

interface Upstream {
  readonly url: ProxyUrl;
  /** Without seek, its placeholders as they stand: for the access log. */
  readonly unfilled: string;
  /** What the request names. */
  readonly interfaceName: string | undefined;
}

/** A status when there is none. */
function findUpstream(
  { log }: HttpProxyParts,
  { request }: Exchange,
  url: string,
  serviceUrl: string | undefined,
): Upstream | 404 | 503 {
  const seek = readSeekRequest(url, "http", serviceUrl);
  for (const warning of seek?.warnings ?? []) log.warn(warning);
  const zoneMin = clientZone(request.header("user-agent"));
  const resolved = seek && resolveUpstreamUrl(seek, { nowMs: Date.now(), zoneMin });
  if (!resolved) return 503;
  const { url: own, taken } = takeParameters(resolved.url, CONSUMED_PARAMETERS);
  const [prefix = "", scheme] = SCHEME.exec(own) ?? [];
  const outcome = parseProxyUrl(own.slice(prefix.length), scheme as ProxyScheme);
  if (outcome.kind === "error") return outcome.status;
  const unfilled = takeParameters(seek.url, CONSUMED_PARAMETERS).url;
  return { url: outcome.url, unfilled, interfaceName: requestedInterface(taken, log) };
}
