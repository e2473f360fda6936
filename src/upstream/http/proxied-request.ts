/** A client's request, sent on to an HTTP server, and what the client gets of the answer (http-proxy.md sections 4 to 6). */

import type { ForeignAnswer } from "../../http/foreign-content.ts";
import type { UpstreamAbout, UpstreamResponse } from "../../relay/upstream.ts";
import { shown } from "../../system/shown.ts";
import { Slices } from "../../system/slices.ts";
import { rewrittenPieces } from "../../wire/hls/rewrite.ts";
import { type HeaderField, isNamed } from "../../wire/http/header-fields.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";
import { CLIENT_STATE, type ClientState } from "../../wire/status/client-state.ts";
import { baseUrl } from "../../wire/url/base-url.ts";
import { authorityOf, formatProxyUrl, type ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { PlannerParts, PlanRequest } from "../planner.ts";
import { BodySource, type ByteSource, MemorySource } from "./body.ts";
import { withMarkedCookies } from "./cookies.ts";
import { HttpUpstreamError } from "./errors.ts";
import { collectPlaylist } from "./playlist.ts";
import { type ContentCoding, playlistHandling } from "./playlist-handling.ts";
import { type LinkRules, leadsElsewhere, proxyLink, proxyLocation } from "./proxy-link.ts";
import { relayedHeaders, rewrittenHeaders } from "./relayed-headers.ts";
import { emitUpstreamRequest, hasCredentials } from "./request-head.ts";
import { HttpSession } from "./session.ts";

/** So much of a rewritten playlist leaves several times as much garbage, and the runtime would wait for much more. */
const COLLECT_BYTES = 1024 * 1024;

export interface HttpTarget {
  readonly url: ProxyUrl;
  readonly request: PlanRequest;
  readonly about: UpstreamAbout;
  readonly interfaceName: string | undefined;
  /** Another server has redirected the client to this one. */
  readonly isRedirected: boolean;
  readonly settings: {
    readonly httpProxyUserAgent: string | undefined;
    readonly proxyHttps: boolean;
    readonly corsAllowOrigin: string | undefined;
  };
}

/** Of a worker: rewritten playlists that their clients have not taken yet. */
const MAX_REWRITTEN_BYTES = 64 * 1024 * 1024;

let rewrittenBytes = 0;

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
  /** Of `rewrittenBytes`. */
  #reservedBytes = 0;

  constructor(target: HttpTarget, parent: ProxiedRequestParent, parts: PlannerParts) {
    this.#target = target;
    this.#parent = parent;
    this.#parts = parts;
    this.#session = this.#ask();
  }

  close(): void {
    this.#closed.abort();
    this.#session.close();
    rewrittenBytes -= this.#reservedBytes;
    this.#reservedBytes = 0;
  }

  #ask(): HttpSession {
    const { url, request, settings, interfaceName } = this.#target;
    const { method, headers, body } = request;
    const head = emitUpstreamRequest({
      method,
      url,
      isRedirected: this.#target.isRedirected,
      headers,
      bodyLength: body.length,
      userAgent: settings.httpProxyUserAgent,
      prescribed: request.prescribed?.headers,
      token: this.#parts.links.encodedToken,
    });
    const { reach, log } = this.#parts;
    return new HttpSession(
      { url, method, head, body, interfaceName, reach, client: request.client },
      {
        requested: () => this.#parent.entered(CLIENT_STATE.httpAwaitingHead),
        responded: (answer, framing) =>
          this.#responded({ ...answer, headers: withMarkedCookies(answer.headers, url) }, framing),
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
      const pieces = await this.#rewritten(text, this.#linkRules(base));
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (this.#closed.signal.aborted) return;
      if (rewrittenBytes + length > MAX_REWRITTEN_BYTES) throw new HttpUpstreamError("busy", "too many are waiting");
      rewrittenBytes += length;
      this.#reservedBytes = length;
      this.#session.close();
      const headers = rewrittenHeaders(this.#foreignAnswer(head), length);
      this.#parent.answered({ status: head.status, headers }, new MemorySource(pieces));
    } catch (error) {
      const cause = error as Error;
      this.#failed(`${this.#name}: playlist not rewritten: ${cause.message}`, cause);
    }
  }

  /** A million links take a second, in which others want their television. */
  async #rewritten(text: string, rules: LinkRules): Promise<Uint8Array[]> {
    const slices = new Slices();
    const pieces: Uint8Array[] = [];
    let uncollected = 0;
    for (const piece of rewrittenPieces(text, (reference) => proxyLink(reference, rules))) {
      if (piece === undefined) throw new Error("its links would not fit");
      pieces.push(Buffer.from(piece, "latin1"));
      uncollected += piece.length;
      if (uncollected >= COLLECT_BYTES) {
        uncollected = 0;
        // In another thread.
        Bun.gc(false);
      }
      if (slices.isOver) await slices.next();
      this.#closed.signal.throwIfAborted();
    }
    return pieces;
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
    return shown(formatProxyUrl(this.#target.url));
  }

  #withLocation(status: number, field: HeaderField): HeaderField {
    if (!isNamed(field, "location")) return field;
    const [name, value] = field;
    const base = `${this.#parts.links.rules.appPathPrefix}/`;
    const rules = this.#linkRules(base);
    const { headers, prescribed } = this.#target.request;
    const isElsewhere = hasCredentials(headers, prescribed?.headers) && leadsElsewhere(value, rules);
    return [name, proxyLocation(status, value, isElsewhere ? { ...rules, isRedirected: true } : rules)];
  }

  #linkRules(base: string): LinkRules {
    const { url, settings, request, isRedirected } = this.#target;
    const { encodedToken, seal, sealsAll } = this.#parts.links;
    const channel = request.prescribed?.channel;
    const sealOf =
      seal && (sealsAll || channel !== undefined) ? (target: string) => seal.parameters(target, channel) : undefined;
    return { base, upstream: formatProxyUrl(url), isRedirected, proxyHttps: settings.proxyHttps, encodedToken, sealOf };
  }
}
