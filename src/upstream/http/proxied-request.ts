/** A client's request, sent on to an HTTP server, and what the client gets of the answer (http-proxy.md sections 4 to 6). */

import type { ForeignAnswer } from "../../http/foreign-content.ts";
import type { UpstreamAbout, UpstreamResponse } from "../../relay/upstream.ts";
import { shown } from "../../system/shown.ts";
import { basicAuthorization, type Credentials } from "../../wire/http/digest.ts";
import { type HeaderField, headerValue, isNamed } from "../../wire/http/header-fields.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";
import { CLIENT_STATE, type ClientState } from "../../wire/status/client-state.ts";
import { baseUrl } from "../../wire/url/base-url.ts";
import { authorityOf, formatProxyUrl, type ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { PlannerParts, PlanRequest } from "../planner.ts";
import { BodySource, type ByteSource, MemorySource } from "./body.ts";
import { withMarkedCookies } from "./cookies.ts";
import { HttpUpstreamError } from "./errors.ts";
import type { BodyKind } from "./first-bytes.ts";
import { FirstLook } from "./first-look.ts";
import { loginFor } from "./login.ts";
import { collectPlaylist } from "./playlist.ts";
import { type ContentCoding, MAX_PLAYLIST_BYTES, playlistHandling } from "./playlist-handling.ts";
import { type LinkRules, leadsElsewhere, proxyLocation } from "./proxy-link.ts";
import { relayedHeaders, rewrittenHeaders, withoutChunks, withPlaylistType } from "./relayed-headers.ts";
import { emitUpstreamRequest, hasCredentials } from "./request-head.ts";
import { rewrittenPlaylist } from "./rewritten-playlist.ts";
import { type RequestChanges, secondRequest } from "./second-request.ts";
import { HttpSession } from "./session.ts";

export interface HttpTarget {
  readonly url: ProxyUrl;
  readonly request: PlanRequest;
  readonly about: UpstreamAbout;
  readonly interfaceName: string | undefined;
  /** Another server has redirected the client to this one. */
  readonly isRedirected: boolean;
  readonly settings: {
    readonly httpProxyUserAgent: string | undefined;
    readonly httpAnswerTimeout: number;
    readonly proxyHttps: boolean;
    readonly corsAllowOrigin: string | undefined;
  };
}

const OK = 200;
const PARTIAL = 206;
/** A playlist of streams or segments, as opposed to one of channels. */
const HLS_TAG = /^#EXT-X-/m;

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
  readonly #login: Credentials | undefined;
  #session: HttpSession;
  /** Set: this is what the second request has been changed by. There is no third one. */
  #changes: RequestChanges | undefined;
  #look: FirstLook | undefined;
  readonly #closed = new AbortController();
  /** Of `rewrittenBytes`. */
  #reservedBytes = 0;

  constructor(target: HttpTarget, parent: ProxiedRequestParent, parts: PlannerParts) {
    this.#target = target;
    this.#parent = parent;
    this.#parts = parts;
    this.#login = loginFor(target.url, target.request.prescribed?.url);
    this.#session = this.#ask();
  }

  close(): void {
    this.#closed.abort();
    this.#look?.close();
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
      authorization: this.#login && basicAuthorization(this.#login),
      token: this.#parts.links.encodedToken,
      ...this.#changes,
    });
    const { reach, log } = this.#parts;
    const answerTimeoutMs = settings.httpAnswerTimeout * 1000;
    return new HttpSession(
      { url, method, head, body, interfaceName, reach, client: request.client, answerTimeoutMs },
      {
        requested: () => this.#parent.entered(CLIENT_STATE.httpAwaitingHead),
        responded: (answer, framing) =>
          this.#responded({ ...answer, headers: withMarkedCookies(answer.headers, url) }, framing),
        readable: () => (this.#look ?? this.#parent).readable(),
        failed: (cause) => this.#failed(cause.message, cause),
      },
      log,
    );
  }

  #responded(head: ResponseHead, framing: BodyFraming): void {
    const { request, url } = this.#target;
    const changes = this.#changes ? undefined : secondRequest(head, request, url, this.#login);
    if (changes) {
      this.#changes = changes;
      this.#session.close();
      this.#session = this.#ask();
      return;
    }
    this.#parent.entered(CLIENT_STATE.httpStreaming);
    const range = headerValue(request.headers, "range");
    const handling = playlistHandling(request.method, url.path, range, head, framing);
    if (handling.kind === "relay") this.#relay(head, framing);
    else if (handling.kind === "refuse") {
      const message = `${this.#name}: a playlist in a transfer coding that cannot be undone`;
      this.#failed(message, new HttpUpstreamError("bad-playlist", message));
    } else {
      const { coding, isNamed: isText } = handling;
      this.#look = new FirstLook(this.#session, framing, coding, (kind) => {
        this.#look = undefined;
        const isPlaylist = kind === "playlist" || (isText && kind === "text");
        if (isPlaylist && !this.#isTooLarge(framing)) void this.#rewrite(head, framing, coding, kind);
        else this.#relay(head, framing);
      });
      this.#look.readable();
    }
  }

  #isTooLarge(framing: BodyFraming): boolean {
    const isTooLarge = framing.kind === "length" && framing.length > MAX_PLAYLIST_BYTES;
    if (isTooLarge) this.#parts.log.warn(`${this.#name}: a playlist of ${framing.length} bytes is not rewritten`);
    return isTooLarge;
  }

  #relay(head: ResponseHead, framing: BodyFraming): void {
    const { status, statusLine } = head;
    const headers = relayedHeaders(this.#foreignAnswer(head)).map((field) => this.#withLocation(status, field));
    const bare = this.#target.request.isHttp10 ? withoutChunks(headers) : undefined;
    const body = new BodySource(this.#session, framing, bare !== undefined);
    this.#parent.answered({ status, statusLine, headers: bare ?? headers }, body);
  }

  async #rewrite(head: ResponseHead, framing: BodyFraming, coding: ContentCoding, kind: BodyKind): Promise<void> {
    try {
      const text = await collectPlaylist(this.#session, framing, coding, this.#closed.signal);
      const base = baseUrl(this.#target.request.headers, this.#parts.links.rules);
      const pieces = await rewrittenPlaylist(text, this.#linkRules(base), this.#closed.signal);
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (this.#closed.signal.aborted) return;
      if (rewrittenBytes + length > MAX_REWRITTEN_BYTES) throw new HttpUpstreamError("busy", "too many are waiting");
      rewrittenBytes += length;
      this.#reservedBytes = length;
      this.#session.close();
      const typed = kind === "playlist" && HLS_TAG.test(text) ? withPlaylistType(head.headers) : head.headers;
      // What came as a part was all of it.
      const status = head.status === PARTIAL ? OK : head.status;
      const headers = rewrittenHeaders(this.#foreignAnswer({ ...head, status, headers: typed }), length);
      this.#parent.answered({ status, headers }, new MemorySource(pieces));
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
    const userinfo = url.userinfo === undefined || isChannel ? "" : `${url.userinfo}@`;
    const hosts = [asked, `/${url.scheme}/${userinfo}${authorityOf(url)}`].filter((path) => path !== "");
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
    const upstream = formatProxyUrl(url);
    // Of a channel's password its viewers learn nothing: its links are known by their seal.
    const userinfo = request.serviceUrl === undefined ? url.userinfo : undefined;
    return { base, upstream, userinfo, isRedirected, proxyHttps: settings.proxyHttps, encodedToken, sealOf };
  }
}
