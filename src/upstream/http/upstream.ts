/** An HTTP server's answer as an upstream: its head, then its body as it comes; playlists are rewritten (http-proxy.md). */

import { maskToken } from "../../http/token-mask.ts";
import type { StreamInfo, Upstream, UpstreamAbout, UpstreamParent } from "../../relay/upstream.ts";
import type { Memory } from "../../system/memory.ts";
import { rewritePlaylist } from "../../wire/hls/rewrite.ts";
import type { HeaderField } from "../../wire/http/request.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import { baseUrl } from "../../wire/url/base-url.ts";
import { authorityOf, formatProxyUrl, type ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { PlannerParts, PlanRequest } from "../planner.ts";
import { ReadBackoff } from "../read-backoff.ts";
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
  readonly settings: { readonly httpProxyUserAgent: string | undefined; readonly proxyHttps: boolean };
}

const WAITING_TICK_MS = 1000;

export class HttpUpstream implements Upstream {
  readonly rtp = undefined;
  readonly about: UpstreamAbout;
  info: StreamInfo = { metadata: [] };
  readonly #target: HttpTarget;
  readonly #parent: UpstreamParent;
  readonly #parts: PlannerParts;
  readonly #session: HttpSession;
  readonly #closed = new AbortController();
  /** `asking`: the source has nothing to say before its head, or before its playlist is complete. */
  #state: "asking" | "polling" | "waiting" | "closed" = "asking";
  #body: ByteSource | undefined;
  readonly #backoff = new ReadBackoff();

  constructor(target: HttpTarget, parent: UpstreamParent, parts: PlannerParts) {
    this.#target = target;
    this.about = target.about;
    this.#parent = parent;
    this.#parts = parts;
    this.#session = this.#ask();
  }

  get tickMs(): number {
    return this.#state === "polling" ? this.#backoff.intervalMs : WAITING_TICK_MS;
  }

  tick(now: number): void {
    if (this.#state !== "polling" || !this.#body) return;
    const turn = this.#parent.fill(this.#read);
    if (turn < 0) {
      this.#parent.ended(undefined);
      return;
    }
    this.#backoff.observe(turn, now);
    if (turn > 0 || !this.#backoff.isQuiet(now) || this.#parent.room <= 0 || this.#state !== "polling") return;
    this.#state = "waiting";
    this.#body.waitReadable();
  }

  close(): void {
    this.#state = "closed";
    this.#closed.abort();
    this.#session.close();
  }

  readonly #read = (into: Memory, offset: number, length: number): number => this.#body!.read(into, offset, length);

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
        readable: () => this.#readable(),
        failed: (cause) => this.#failed(cause.message, cause),
      },
      log,
    );
  }

  #readable(): void {
    if (this.#state === "waiting") {
      this.#state = "polling";
      this.#backoff.reset();
    }
    this.#parent.wake();
  }

  #failed(message: string, cause: Error): void {
    if (this.#state === "closed") return;
    this.#parts.log.error(message);
    this.#parent.ended(cause);
  }

  /** For the log: a URL within this one may carry a token. */
  get #name(): string {
    return maskToken(formatProxyUrl(this.#target.url));
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
      const fields = relayedHeaders(head.headers).map((field) => this.#withLocation(head.status, field));
      this.#begin(head, fields, new BodySource(this.#session, framing));
    }
  }

  #begin(
    { status, statusLine }: { status: number; statusLine?: string },
    fields: readonly HeaderField[],
    body: ByteSource,
  ): void {
    const headers = fields.map(({ name, value }) => [name, value] as const);
    this.info = { metadata: [], response: { status, statusLine, headers } };
    this.#body = body;
    this.#state = "polling";
    // The client's head goes out at once, whatever the body does.
    this.#parent.opened();
    this.#parent.wake();
  }

  #withLocation(status: number, field: HeaderField): HeaderField {
    if (field.name.toLowerCase() !== "location") return field;
    const base = `${this.#parts.links.rules.appPathPrefix}/`;
    return { name: field.name, value: proxyLocation(status, field.value, this.#linkRules(base)) };
  }

  #linkRules(base: string): LinkRules {
    const { url, settings } = this.#target;
    const { encodedToken } = this.#parts.links;
    return { base, upstream: formatProxyUrl(url), proxyHttps: settings.proxyHttps, encodedToken };
  }

  async #rewrite(head: ResponseHead, framing: BodyFraming, coding: ContentCoding): Promise<void> {
    try {
      const text = await collectPlaylist(this.#session, framing, coding, this.#closed.signal);
      const base = baseUrl(this.#target.request.headers, this.#parts.links.rules);
      const rules = this.#linkRules(base);
      const rewritten = rewritePlaylist(text, (reference) => proxyLink(reference, rules));
      if (rewritten === undefined) throw new Error("its links would not fit");
      const body = Buffer.from(rewritten, "latin1");
      if (this.#state === "closed") return;
      this.#session.close();
      this.#begin({ status: head.status }, rewrittenHeaders(head.headers, body.length), new MemorySource(body));
    } catch (error) {
      const cause = error as Error;
      this.#failed(`${this.#name}: playlist not rewritten: ${cause.message}`, cause);
    }
  }
}
