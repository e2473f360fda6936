/** One request to an HTTP upstream, from the name of the host to the end of the body (http-proxy.md section 4). */
import type { Log } from "../../system/log.ts";
import { allocate, type Memory } from "../../system/memory.ts";
import { resolveHost } from "../../system/resolve.ts";
import { TcpSource } from "../../system/tcp-source.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import { type ResponseHead, ResponseHeadParser } from "../../wire/http/response-head.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { ByteSource } from "./body.ts";
import { type HttpFailure, HttpUpstreamError } from "./errors.ts";

/** Resolving, each address, sending without progress, and waiting for the head: each may take so long. */
const STAGE_TIMEOUT_MS = 3000;
/** One read while the head is awaited. */
const HEAD_READ_BYTES = 16 * 1024;

export interface HttpSessionRequest {
  readonly url: ProxyUrl;
  readonly method: string;
  /** Head and body as they are sent. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly interfaceName?: string | undefined;
  /** Whether an address and port are our own: a request to it would come back for ever. */
  readonly isOurselves: (address: IpAddress, port: number) => boolean;
  readonly stageTimeoutMs?: number;
  /** Addresses of a host name in the order in which to try them. */
  readonly resolve?: (host: string) => Promise<readonly IpAddress[]>;
}

export interface HttpSessionParent {
  /** The connection is made and the request on its way. */
  requested?(): void;
  /** The final response head has come; the session is now the source of the raw body. */
  responded(head: ResponseHead, framing: BodyFraming): void;
  /** `announce` had been called, or the connection is TLS: raw body has come, or it is over. */
  readable(): void;
  /** There is nothing to relay. */
  failed(cause: HttpUpstreamError): void;
}

export class HttpSession implements ByteSource {
  readonly #request: HttpSessionRequest;
  readonly #parent: HttpSessionParent;
  readonly #log: Log;
  readonly #parser: ResponseHeadParser;
  readonly #scratch = allocate(HEAD_READ_BYTES);
  #state: "resolving" | "connecting" | "awaiting-head" | "streaming" | "closed" = "resolving";
  #source: TcpSource | undefined;
  #addresses: readonly IpAddress[] = [];
  #lastFailure = "no address";
  #timer: Timer | undefined;
  /** Bytes of the body that came with the head. */
  #rest: Uint8Array | undefined;

  constructor(request: HttpSessionRequest, parent: HttpSessionParent, log: Log) {
    this.#request = request;
    this.#parent = parent;
    this.#log = log;
    this.#parser = new ResponseHeadParser(request.method);
    this.#resolve();
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

  waitReadable(): void {
    if (this.#rest || !this.#source) queueMicrotask(() => this.#state === "streaming" && this.#parent.readable());
    else this.#source.announce();
  }

  /** Why the body ended early, if that is known. */
  get failure(): Error | undefined {
    return this.#source?.failure;
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #resolve(): void {
    const { url, resolve = resolveHost } = this.#request;
    this.#limit(() => this.#fail("unresolved", "not resolved in time"));
    resolve(url.host).then(
      (addresses) => {
        if (this.#state !== "resolving") return;
        this.#addresses = addresses;
        this.#tryNext();
      },
      (error: Error) => this.#fail("unresolved", error.message),
    );
  }

  /** Addresses are tried in the resolver's order; the first connection that is made is used. */
  #tryNext(): void {
    this.#source?.close();
    this.#source = undefined;
    const [address, ...others] = this.#addresses;
    this.#addresses = others;
    if (!address) {
      this.#fail("unreachable", this.#lastFailure);
      return;
    }
    const { url, interfaceName, isOurselves } = this.#request;
    if (isOurselves(address, url.port)) {
      this.#fail("loop", "leads back to this relay");
      return;
    }
    this.#state = "connecting";
    const tlsName = url.scheme === "https" ? url.host : undefined;
    this.#limit(() => this.#failedToConnect("no answer in time"));
    try {
      const source = new TcpSource(
        { address, port: url.port, interfaceName, tlsName },
        {
          connected: () => source === this.#source && this.#send(),
          readable: () => source === this.#source && this.#readable(),
        },
      );
      this.#source = source;
      if (!source.isBound) {
        this.#log.warn(`${url.host}: cannot be bound to the interface ${interfaceName}, the routing table chooses`);
      }
    } catch (error) {
      this.#failedToConnect((error as Error).message);
    }
  }

  #failedToConnect(reason: string): void {
    this.#lastFailure = reason;
    this.#log.debug(`${this.#request.url.host}: ${reason}`);
    this.#tryNext();
  }

  #send(): void {
    this.#state = "awaiting-head";
    this.#source?.write(this.#request.head);
    if (this.#request.body.length > 0) this.#source?.write(this.#request.body);
    this.#limit(() => this.#headTimeout());
    this.#parent.requested?.();
  }

  /** While a large request body still goes out, the server has no reason to answer. */
  #headTimeout(): void {
    const quietMs = performance.now() - (this.#source?.progressAt ?? 0);
    if (quietMs >= this.#stageTimeoutMs) this.#fail("timeout", "no response head in time");
    else this.#limit(() => this.#headTimeout(), this.#stageTimeoutMs - quietMs);
  }

  #readable(): void {
    if (this.#state === "connecting") {
      this.#failedToConnect(this.#source?.failure?.message ?? "connection closed");
      return;
    }
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
    this.#source?.pullOnly();
    this.#parent.responded(outcome.head, outcome.framing);
  }

  #fail(code: HttpFailure, message: string): void {
    if (this.#state === "closed" || this.#state === "streaming") return;
    const { url } = this.#request;
    this.close();
    this.#parent.failed(new HttpUpstreamError(code, `${url.scheme}://${url.host}:${url.port}: ${message}`));
  }

  get #stageTimeoutMs(): number {
    return this.#request.stageTimeoutMs ?? STAGE_TIMEOUT_MS;
  }

  #limit(onTimeout: () => void, ms = this.#stageTimeoutMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTimeout, ms);
  }
}
