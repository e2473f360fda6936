/** A client's request, sent on to an HTTP server, and what the client gets of the answer (http-proxy.md sections 4 to 6). */

import type { ForeignAnswer } from "../../http/foreign-content.ts";
import { maskToken } from "../../http/token-mask.ts";
import type { UpstreamAbout, UpstreamResponse } from "../../relay/upstream.ts";
import { rewritePlaylist } from "../../wire/hls/rewrite.ts";
import { type HeaderField, isNamed } from "../../wire/http/header-fields.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";
import { CLIENT_STATE, type ClientState } from "../../wire/status/client-state.ts";
import { baseUrl } from "../../wire/url/base-url.ts";
import { authorityOf, formatProxyUrl, type ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { PlannerParts, PlanRequest } from "../planner.ts";
import { BodySource, type ByteSource, MemorySource } from "./body.ts";
import { HttpUpstreamError } from "./errors.ts";
import { collectPlaylist } from "./playlist.ts";
import { type ContentCoding, playlistHandling } from "./playlist-handling.ts";
import { type LinkRules, proxyLink, proxyLocation } from "./proxy-link.ts";
import { relayedHeaders, rewrittenHeaders } from "./relayed-headers.ts";
import { emitUpstreamRequest } from "./request-head.ts";
import { HttpSession } from "./session.ts";

export interface HttpTarget {
  readonly url: ProxyUrl;
  readonly request: PlanRequest;
  readonly about: UpstreamAbout;
  readonly interfaceName: string | undefined;
  readonly settings: {
    readonly httpProxyUserAgent: string | undefined;
    readonly proxyHttps: boolean;
    readonly corsAllowOrigin: string | undefined;
  };
}

export interface ProxiedRequestParent {
  entered(state: ClientState): void;
  /** What the client gets. The body is there until `close`. */
  answered(response: UpstreamResponse, body: ByteSource): void;
  /** `waitReadable` of the body had been called, or the connection is TLS: more has come, or it is over. */
  readable(): void;
  /** There is no answer; the log says why. */
  failed(cause: Error): void;
}

export class ProxiedRequest {
  readonly #target: HttpTarget;
  readonly #parent: ProxiedRequestParent;
  readonly #parts: PlannerParts;
  readonly #session: HttpSession;
  readonly #closed = new AbortController();

  constructor(target: HttpTarget, parent: ProxiedRequestParent, parts: PlannerParts) {
    this.#target = target;
    this.#parent = parent;
    this.#parts = parts;
    this.#session = this.#ask();
  }

  close(): void {
    this.#closed.abort();
    this.#session.close();
  }

  #ask(): HttpSession {
    const { url, request, settings, interfaceName } = this.#target;
    const { method, headers, body } = request;
    const head = emitUpstreamRequest({
      method,
      target: url.path,
      host: authorityOf(url),
      headers,
      bodyLength: body.length,
      userAgent: settings.httpProxyUserAgent,
      token: this.#parts.links.encodedToken,
    });
    const { isOurselves, log } = this.#parts;
    return new HttpSession(
      { url, method, head, body, interfaceName, isOurselves },
      {
        requested: () => this.#parent.entered(CLIENT_STATE.httpAwaitingHead),
        responded: (answer, framing) => this.#responded(answer, framing),
        readable: () => this.#parent.readable(),
        failed: (cause) => this.#failed(cause.message, cause),
      },
      log,
    );
  }

  #responded(head: ResponseHead, framing: BodyFraming): void {
    const { request, url } = this.#target;
    const { log } = this.#parts;
    this.#parent.entered(CLIENT_STATE.httpStreaming);
    const handling = playlistHandling(request.method, url.path, head, framing);
    if (handling.kind === "collect") void this.#rewrite(head, framing, handling.coding);
    else if (handling.kind === "refuse") {
      const message = `${this.#name}: a playlist in a transfer coding that cannot be undone`;
      this.#failed(message, new HttpUpstreamError("bad-playlist", message));
    } else {
      if (handling.kind === "relay-too-large")
        log.warn(`${this.#name}: a playlist of ${handling.length} bytes is not rewritten`);
      this.#relay(head, framing);
    }
  }

  #relay(head: ResponseHead, framing: BodyFraming): void {
    const { status, statusLine } = head;
    const headers = relayedHeaders(this.#foreignAnswer(head)).map((field) => this.#withLocation(status, field));
    this.#parent.answered({ status, statusLine, headers }, new BodySource(this.#session, framing));
  }

  async #rewrite(head: ResponseHead, framing: BodyFraming, coding: ContentCoding): Promise<void> {
    try {
      const text = await collectPlaylist(this.#session, framing, coding, this.#closed.signal);
      const base = baseUrl(this.#target.request.headers, this.#parts.links.rules);
      const rules = this.#linkRules(base);
      const rewritten = rewritePlaylist(text, (reference) => proxyLink(reference, rules));
      if (rewritten === undefined) throw new Error("its links would not fit");
      const body = Buffer.from(rewritten, "latin1");
      if (this.#closed.signal.aborted) return;
      this.#session.close();
      const headers = rewrittenHeaders(this.#foreignAnswer(head), body.length);
      this.#parent.answered({ status: head.status, headers }, new MemorySource(body));
    } catch (error) {
      const cause = error as Error;
      this.#failed(`${this.#name}: playlist not rewritten: ${cause.message}`, cause);
    }
  }

  #failed(message: string, cause: Error): void {
    if (this.#closed.signal.aborted) return;
    this.#parts.log.error(message);
    this.#parent.failed(cause);
  }

  /** A client comes back to the same server by the path that it has used and by the links of playlists and redirects. */
  #foreignAnswer({ status, headers }: ResponseHead): ForeignAnswer {
    const { url, request, settings } = this.#target;
    const prefix = this.#parts.links.rules.appPathPrefix;
    const isChannel = request.serviceUrl !== undefined;
    const [asked = ""] = isChannel ? [] : (/^\/[^/]+\/[^/]+/.exec(request.path) ?? []);
    const hosts = [`/${url.scheme}/${authorityOf(url)}`, asked].filter((path) => path !== "");
    return {
      status,
      headers,
      upstreamPath: url.path,
      hostPaths: [...new Set(hosts)].map((path) => prefix + path),
      channelPath: isChannel ? prefix + request.path : undefined,
      isCors: Boolean(settings.corsAllowOrigin),
    };
  }

  /** For the log: a URL within this one may carry a token. */
  get #name(): string {
    return maskToken(formatProxyUrl(this.#target.url));
  }

  #withLocation(status: number, field: HeaderField): HeaderField {
    if (!isNamed(field, "location")) return field;
    const [name, value] = field;
    const base = `${this.#parts.links.rules.appPathPrefix}/`;
    return [name, proxyLocation(status, value, this.#linkRules(base))];
  }

  #linkRules(base: string): LinkRules {
    const { url, settings } = this.#target;
    const { encodedToken } = this.#parts.links;
    return { base, upstream: formatProxyUrl(url), proxyHttps: settings.proxyHttps, encodedToken };
  }
}
