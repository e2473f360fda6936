/** One request to an HTTP upstream, from the name of the host to the end of the body (http-proxy.md section 4). */
import { ForbiddenError, type UpstreamError } from "../../relay/upstream.ts";
import { Dialer } from "../../system/dialer.ts";
import type { Log } from "../../system/log.ts";
import { allocate, type Memory } from "../../system/memory.ts";
import type { Reach } from "../../system/reach.ts";
import type { TcpSource } from "../../system/tcp-source.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import { type ResponseHead, ResponseHeadParser } from "../../wire/http/response-head.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { ByteSource } from "./body.ts";
import { type HttpFailure, HttpUpstreamError } from "./errors.ts";

/** The limit of each: resolving, one address. */
const CONNECT_TIMEOUT_MS = 3000;
/** One read while the head is awaited. */
const HEAD_READ_BYTES = 16 * 1024;

export interface HttpSessionRequest {
  readonly url: ProxyUrl;
  readonly method: string;
  /** Head and body as they are sent. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly interfaceName?: string | undefined;
  readonly reach: Reach;
  /** On whose behalf: the address of an HTTP client. */
  readonly client?: string | undefined;
  readonly connectTimeoutMs?: number;
  /** The limit of each: sending without progress, waiting for the head. */
  readonly answerTimeoutMs: number;
  /** Addresses of a host name in the order in which to try them. */
  readonly resolve?: (host: string) => Promise<readonly IpAddress[]>;
}

interface HttpSessionParent {
  /** The connection is made and the request on its way. */
  requested?(): void;
  /** The final response head has come; the session is now the source of the raw body. */
  responded(head: ResponseHead, framing: BodyFraming): void;
  /** `waitReadable` had been called, or the connection is TLS: raw body has come, or it is over. */
  readable(): void;
  /** There is nothing to relay. */
  failed(cause: UpstreamError): void;
}

export class HttpSession implements ByteSource {
  readonly #request: HttpSessionRequest;
  readonly #parent: HttpSessionParent;
  readonly #log: Log;
  readonly #parser: ResponseHeadParser;
  readonly #scratch = allocate(HEAD_READ_BYTES);
  #state: "dialing" | "awaiting-head" | "streaming" | "closed" = "dialing";
  readonly #dialer: Dialer;
  #source: TcpSource | undefined;
  #timer: Timer | undefined;
  /** Bytes of the body that came with the head. */
  #rest: Uint8Array | undefined;

  constructor(request: HttpSessionRequest, parent: HttpSessionParent, log: Log) {
    this.#request = request;
    this.#parent = parent;
    this.#log = log;
    this.#parser = new ResponseHeadParser(request.method);
    this.#dialer = this.#dial();
  }

  /** Reads raw body. */
  read(into: Memory, offset: number, length: number): number {
    if (this.#state !== "streaming") return -1;
    const rest = this.#rest;
    if (!rest) return this.#source?.read(into, offset, length) ?? -1;
    const part = rest.subarray(0, length);
    into.bytes.set(part, offset);
    this.#rest = part.length < rest.length ? rest.subarray(part.length) : undefined;
    return part.length;
  }

  /** Gives back what was read first of the body, to be read again. */
  unread(piece: Uint8Array): void {
    this.#rest = this.#rest ? Buffer.concat([piece, this.#rest]) : piece;
  }

  waitReadable(): void {
    if (this.#rest || !this.#source) queueMicrotask(() => this.#state === "streaming" && this.#parent.readable());
    else this.#source.waitReadable();
  }

  get window(): number {
    return this.#source?.window ?? Number.POSITIVE_INFINITY;
  }

  /** Why the body ended early, if that is known. */
  get failure(): Error | undefined {
    return this.#source?.failure;
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#dialer.close();
    this.#source?.close();
    this.#source = undefined;
  }

  #dial(): Dialer {
    const { url, interfaceName, reach, resolve, client, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#request;
    const { scheme, host, port } = url;
    const target = { host, port, interfaceName, tlsName: scheme === "https" ? host : undefined };
    const options = { timeoutMs: connectTimeoutMs, reach, resolve, client };
    return new Dialer(
      target,
      options,
      {
        connected: (source) => this.#send(source),
        failed: ({ code, message }) => this.#fail(code, code === "unresolved" ? unresolvedReason(message) : message),
      },
      this.#log,
    );
  }

  #send(source: TcpSource): void {
    this.#state = "awaiting-head";
    this.#source = source;
    source.handOver({ readable: () => this.#readable() });
    source.write(this.#request.head);
    if (this.#request.body.length > 0) source.write(this.#request.body);
    this.#limit(() => this.#headTimeout());
    this.#parent.requested?.();
  }

  /** While a large request body still goes out, the server has no reason to answer. */
  #headTimeout(): void {
    const { answerTimeoutMs } = this.#request;
    const quietMs = performance.now() - (this.#source?.progressAt ?? 0);
    if (quietMs >= answerTimeoutMs)
      this.#fail("timeout", `no answer within ${answerTimeoutMs / 1000} s (http-answer-timeout)`);
    else this.#limit(() => this.#headTimeout(), answerTimeoutMs - quietMs);
  }

  #readable(): void {
    if (this.#state === "streaming") this.#parent.readable();
    while (this.#state === "awaiting-head" && this.#source) {
      const count = this.#source.read(this.#scratch, 0, HEAD_READ_BYTES);
      if (count === 0) return;
      if (count < 0) this.#fail("bad-response", this.#source.failure?.message ?? "closed before its response head");
      else this.#parse(this.#scratch.bytes.subarray(0, count));
    }
  }

  #parse(piece: Uint8Array): void {
    const outcome = this.#parser.push(piece);
    if (outcome.kind === "more") return;
    if (outcome.kind === "error") {
      this.#fail("bad-response", `response refused: ${outcome.reason}`);
      return;
    }
    if (outcome.consumed < piece.length) this.#rest = piece.slice(outcome.consumed);
    clearTimeout(this.#timer);
    this.#state = "streaming";
    this.#source?.manual();
    this.#parent.responded(outcome.head, outcome.framing);
  }

  #fail(code: HttpFailure | "forbidden", message: string): void {
    if (this.#state === "closed" || this.#state === "streaming") return;
    const { scheme, host, port } = this.#request.url;
    const server = `${scheme}://${host}:${port}`;
    this.close();
    this.#parent.failed(
      code === "forbidden" ? new ForbiddenError(server, message) : new HttpUpstreamError(code, `${server}: ${message}`),
    );
  }

  #limit(onTimeout: () => void, ms = this.#request.answerTimeoutMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTimeout, ms);
  }
}

function unresolvedReason(reason: string): string {
  return `its name is not resolved: ${reason}; check the URL and the DNS server`;
}
