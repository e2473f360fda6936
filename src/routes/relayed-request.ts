/** One proxied request with its answer: what an HTTP upstream says goes to the client, playlists are rewritten (http-proxy.md). */
import type { Connection } from "../http/connection.ts";
import { completeHeaders, errorResponse, type ResponseHeader } from "../http/response.ts";
import type { WatchedClient } from "../status/clients.ts";
import { collectPlaylist } from "../upstream/http/playlist.ts";
import { HttpSession } from "../upstream/http/session.ts";
import { type LinkRules, proxyLocation } from "../wire/hls/proxy-link.ts";
import { type ContentCoding, playlistHandling } from "../wire/hls/response.ts";
import { rewritePlaylist } from "../wire/hls/rewrite.ts";
import { emitMessageHead } from "../wire/http/header-fields.ts";
import { relayedHeaders, rewrittenHeaders } from "../wire/http/relayed-response.ts";
import type { HeaderField } from "../wire/http/request.ts";
import type { BodyFraming } from "../wire/http/response-framing.ts";
import type { ResponseHead } from "../wire/http/response-head.ts";
import { maskToken } from "../wire/http/token-mask.ts";
import { emitUpstreamRequest } from "../wire/http/upstream-request.ts";
import type { IpAddress } from "../wire/ip/address.ts";
import { CLIENT_STATE } from "../wire/status/client-state.ts";
import { baseUrl } from "../wire/url/base-url.ts";
import { authorityOf, formatProxyUrl, type ProxyUrl } from "../wire/url/proxy-url.ts";
import { shownUrl } from "./client-identity.ts";
import type { MediaParts } from "./media-parts.ts";
import type { OwnLinks } from "./own-links.ts";
import { ProxiedBody } from "./proxied-body.ts";
import type { Exchange } from "./route.ts";

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

export interface HttpProxyParts extends MediaParts {
  readonly options: HttpProxyOptions;
  /** Whether an address and port are our own. */
  readonly isOurselves: (address: IpAddress, port: number) => boolean;
}

export class RelayedRequest {
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
