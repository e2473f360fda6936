/** What an `http://` or `https://` URL asks for (http-proxy.md sections 1 and 2; m3u.md section 10). */

import { readSeekRequest } from "../../timeshift/seek-request.ts";
import { resolveUpstreamUrl } from "../../timeshift/upstream-url.ts";
import { clientZone } from "../../timeshift/zones.ts";
import { headerValue } from "../../wire/http/header-fields.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import type { ByteString } from "../../wire/text/byte-string.ts";
import { formatProxyUrl, type ProxyScheme, parseProxyUrl, takeParameters } from "../../wire/url/proxy-url.ts";
import { queryParameter } from "../../wire/url/query.ts";
import { requestedInterface } from "../interface-parameter.ts";
import { CONSUMED_PARAMETERS, REDIRECTED_PARAMETER } from "../own-parameters.ts";
import type { Planner, PlannerParts } from "../planner.ts";
import { shownUrl } from "../shown-url.ts";
import type { HttpTarget } from "./proxied-request.ts";
import { HttpUpstream } from "./upstream.ts";

/** The settings of this room. */
export interface HttpSettings {
  readonly upstreamInterfaceHttp: string | undefined;
  readonly upstreamInterface: string | undefined;
  /** In place of the client's (`-g`). */
  readonly httpProxyUserAgent: string | undefined;
  /** Seconds that a server has for the head of its answer. */
  readonly httpAnswerTimeout: number;
  /** `https://` links of playlists and redirects go through this relay too. */
  readonly proxyHttps: boolean;
  /** Set: pages of other origins may use what is served. */
  readonly corsAllowOrigin: string | undefined;
}

const SCHEME = /^(https?):\/\//;

/** @param rest of the URL, behind its scheme */
export function isServableHttp(rest: ByteString): boolean {
  return parseProxyUrl(rest).kind === "url";
}

export function httpPlanner(settings: HttpSettings, parts: PlannerParts): Planner {
  const { log } = parts;
  return (request) => {
    const seek = readSeekRequest(request.url, "query", request.serviceUrl);
    for (const warning of seek?.warnings ?? []) log.warn(warning);
    const zoneMin = clientZone(headerValue(request.headers, "user-agent"));
    const resolved = seek && resolveUpstreamUrl(seek, { nowMs: request.nowMs, zoneMin });
    if (!resolved) return { status: 503 };
    const { url: own, taken } = takeParameters(resolved.url, CONSUMED_PARAMETERS);
    const [prefix = "", scheme] = SCHEME.exec(own) ?? [];
    const outcome = parseProxyUrl(own.slice(prefix.length), scheme as ProxyScheme);
    if (outcome.kind === "error") return { status: outcome.status };
    const { url } = outcome;
    const interfaceName =
      requestedInterface(taken, log) ?? settings.upstreamInterfaceHttp ?? settings.upstreamInterface;
    const about = { kind: "http", url: shownUrl(formatProxyUrl(url)), interfaceName, receiver: "stream" };
    const isRedirected = queryParameter(taken, REDIRECTED_PARAMETER) !== undefined;
    const target: HttpTarget = { url, request, about, interfaceName, isRedirected, settings };
    return {
      // The answer depends on the client's own request.
      key: undefined,
      overflow: "pause",
      about,
      firstState: CLIENT_STATE.httpConnecting,
      countsAsClient: true,
      canSnapshot: false,
      accessLog: { serviceType: "http", url: takeParameters(seek.url, CONSUMED_PARAMETERS).url },
      open: (parent) => new HttpUpstream(target, parent, parts),
    };
  };
}
