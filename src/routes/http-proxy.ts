/** `/http/…` and `/https/…`: what an HTTP upstream answers, relayed without losing a byte (http-proxy.md). */
import type { Connection } from "../http/connection.ts";
import { completeHeaders, errorResponse, type ResponseHeader } from "../http/response.ts";
import type { Hub } from "../relay/hub.ts";
import { CLIENT_STATE } from "../status/client-state.ts";
import type { WatchedClient } from "../status/clients.ts";
import type { Log } from "../system/log.ts";
import { readSeekRequest } from "../timeshift/seek-request.ts";
import { resolveUpstreamUrl } from "../timeshift/upstream-url.ts";
import { clientZone } from "../timeshift/zones.ts";
import { collectPlaylist } from "../upstream/http/playlist.ts";
import { HttpSession } from "../upstream/http/session.ts";
import { baseUrl } from "../wire/base-url.ts";
import { emitMessageHead } from "../wire/header-fields.ts";
import type { HeaderField } from "../wire/http-request.ts";
import type { ResponseHead } from "../wire/http-response-head.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { type ContentCoding, playlistHandling } from "../wire/playlist-response.ts";
import { rewritePlaylist } from "../wire/playlist-rewrite.ts";
import { type LinkRules, proxyLocation } from "../wire/proxy-link.ts";
import {
  authorityOf,
  CONSUMED_PARAMETERS,
  formatProxyUrl,
  type ProxyScheme,
  type ProxyUrl,
  parseProxyUrl,
  takeParameters,
} from "../wire/proxy-url.ts";
import { relayedHeaders, rewrittenHeaders } from "../wire/relayed-response.ts";
import type { BodyFraming } from "../wire/response-framing.ts";
import { maskToken } from "../wire/token-mask.ts";
import { emitUpstreamRequest } from "../wire/upstream-request.ts";
import type { AccessLog } from "./access-log.ts";
import type { Admission } from "./admission.ts";
import { shownUrl } from "./client-identity.ts";
import { requestedInterface } from "./interface-parameter.ts";
import type { OwnLinks } from "./own-links.ts";
import { ProxiedBody } from "./proxied-body.ts";
import type { Exchange, Route } from "./route.ts";

export interface HttpProxyOptions {
  /** Interface when the request names none; undefined leaves it to the routing table. */
  readonly interfaceName: string | undefined;
  /** In place of the client's (`-g`). */
  readonly userAgent: string | undefined;
  /** `https://` links of playlists and redirects go through this relay too. */
  readonly proxyHttps: boolean;
  /** How links of playlists and redirects lead back here. */
  readonly links: OwnLinks;
}

export interface HttpProxyParts {
  readonly hub: Hub;
  readonly admission: Admission;
  readonly log: Log;
  readonly accessLog: AccessLog;
  readonly options: HttpProxyOptions;
  /** Whether an address and port are our own. */
  readonly isOurselves: (address: IpAddress, port: number) => boolean;
}

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
  const admitted = parts.admission.enter(exchange, "http");
  if (!admitted) {
    parts.log.warn("Maximum client limit reached");
    connection.respond(errorResponse(503));
    return;
  }
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

/** One proxied request with its answer. */
class RelayedRequest {
  readonly #parts: HttpProxyParts;
  readonly #exchange: Exchange;
  readonly #url: ProxyUrl;
  readonly #interfaceName: string | undefined;
  readonly #client: WatchedClient;
  #session: HttpSession | undefined;
  #body: ProxiedBody | undefined;
  #collecting = new AbortController();

  constructor(
    parts: HttpProxyParts,
    exchange: Exchange,
    url: ProxyUrl,
    interfaceName: string | undefined,
    client: WatchedClient,
  ) {
    this.#parts = parts;
    this.#exchange = exchange;
    this.#url = url;
    this.#interfaceName = interfaceName ?? parts.options.interfaceName;
    this.#client = client;
  }

  start(): void {
    const { method, headers, body } = this.#exchange.request;
    const { userAgent, links } = this.#parts.options;
    const url = this.#url;
    const head = emitUpstreamRequest({
      method,
      target: url.path,
      host: authorityOf(url),
      headers,
      bodyLength: body.length,
      userAgent,
      token: links.encodedToken,
    });
    this.#session = new HttpSession(
      { url, method, head, body, interfaceName: this.#interfaceName, isOurselves: this.#parts.isOurselves },
      {
        requested: () => {
          this.#client.state = CLIENT_STATE.httpAwaitingHead;
        },
        responded: (answer, framing) => this.#responded(answer, framing),
        readable: () => this.#body?.readable(),
        failed: (cause) => {
          this.#parts.log.error(cause.message);
          this.#client.state = CLIENT_STATE.error;
          this.#connection.respond(errorResponse(cause.code === "loop" ? 508 : 503));
        },
      },
      this.#parts.log,
    );
  }

  close(): void {
    this.#collecting.abort();
    this.#body?.close();
    this.#session?.close();
  }

  get #connection(): Connection {
    return this.#exchange.connection;
  }

  /** For the log: a URL within this one may carry a token. */
  get #name(): string {
    return maskToken(formatProxyUrl(this.#url));
  }

  #responded(head: ResponseHead, framing: BodyFraming): void {
    this.#client.state = CLIENT_STATE.httpStreaming;
    const handling = playlistHandling(this.#exchange.request.method, this.#url.path, head, framing);
    if (handling.kind === "collect") {
      void this.#rewrite(head, framing, handling.coding);
      return;
    }
    if (handling.kind === "refuse") {
      this.#parts.log.error(`${this.#name}: a playlist in a transfer coding that cannot be undone`);
      this.#connection.respond(errorResponse(503));
      return;
    }
    if (handling.kind === "relay-too-large") {
      this.#parts.log.warn(`${this.#name}: a playlist of ${handling.length} bytes is not rewritten`);
    }
    const fields = relayedHeaders(head.headers).map((field) => this.#withLocation(head.status, field));
    this.#connection.startStream(emitMessageHead(head.statusLine, this.#completed(fields)));
    this.#body = new ProxiedBody(this.#connection, this.#session!, framing, this.#parts.hub);
    const { pipe } = this.#body;
    this.#client.fed(pipe, pipe, {
      kind: "http",
      url: shownUrl(formatProxyUrl(this.#url)),
      interfaceName: this.#interfaceName,
      receiver: "stream",
      rtp: () => undefined,
    });
    this.#body.start();
  }

  #withLocation(status: number, field: HeaderField): HeaderField {
    if (field.name.toLowerCase() !== "location") return field;
    const base = `${this.#parts.options.links.rules.appPathPrefix}/`;
    return { name: field.name, value: proxyLocation(status, field.value, this.#linkRules(base)) };
  }

  #linkRules(base: string): LinkRules {
    const { proxyHttps, links } = this.#parts.options;
    return { base, upstream: formatProxyUrl(this.#url), proxyHttps, encodedToken: links.encodedToken };
  }

  /** With the headers that stand in every answer; those of the upstream win. */
  #completed(fields: readonly HeaderField[]): HeaderField[] {
    const headers = fields.map(({ name, value }): ResponseHeader => [name, value]);
    return completeHeaders(headers, this.#connection.standingHeaders).map(([name, value]) => ({ name, value }));
  }

  async #rewrite(head: ResponseHead, framing: BodyFraming, coding: ContentCoding): Promise<void> {
    try {
      const text = await collectPlaylist(this.#session!, framing, coding, this.#collecting.signal);
      const base = baseUrl(this.#exchange.request.headers, this.#parts.options.links.rules);
      const rewritten = rewritePlaylist(text, this.#linkRules(base));
      if (rewritten === undefined) throw new Error("its links would not fit");
      const body = Buffer.from(rewritten, "latin1");
      const fields = rewrittenHeaders(head.headers, body.length);
      const headers = fields.map(({ name, value }) => [name, value] as const);
      if (this.#connection.isClosed) return;
      this.#session?.close();
      this.#connection.respond({ status: head.status, headers, body });
    } catch (error) {
      if (this.#connection.isClosed) return;
      this.#parts.log.error(`${this.#name}: playlist not rewritten: ${(error as Error).message}`);
      this.#connection.respond(errorResponse(503));
    }
  }
}
