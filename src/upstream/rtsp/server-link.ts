/** The server that a handshake talks to: connects, asks with a limit for the answer, takes leave (rtsp.md sections 2, 3 and 11). */
import { type DialError, Dialer, type DialerParent, type DialOptions } from "../../system/dialer.ts";
import type { Log } from "../../system/log.ts";
import type { HeaderField } from "../../wire/http/request.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { formatRtspUrl, type RtspUrl } from "../../wire/rtsp/url.ts";
import { formatAuthority } from "../../wire/url/authority.ts";
import { NoAnswerError, type RtspError, UnreachableError, UnresolvedError } from "./errors.ts";
import { Requests } from "./requests.ts";
import { RtspConnection, type RtspConnectionParent } from "./rtsp-connection.ts";
import { Teardown } from "./teardown.ts";

export interface ServerLinkOptions extends Omit<DialOptions, "isOurselves"> {
  readonly interfaceName: string | undefined;
  readonly userAgent: string;
}

export interface ServerLinkParent extends RtspConnectionParent {
  /** At least one address is known; the first is tried next. */
  resolved(first: IpAddress): void;
  /** The connection is made; `control` is set. */
  reached(control: RtspConnection): void;
  failed(cause: RtspError): void;
}

export class ServerLink {
  readonly requests: Requests;
  /** Undefined while there is no connection. */
  control: RtspConnection | undefined;
  /** The server has a session that it must be told the end of. */
  isSetUp = false;
  readonly #options: ServerLinkOptions;
  readonly #parent: ServerLinkParent;
  readonly #log: Log;
  #url: RtspUrl;
  #dialer: Dialer | undefined;
  #timer: Timer | undefined;

  constructor(url: RtspUrl, options: ServerLinkOptions, parent: ServerLinkParent, log: Log) {
    this.#url = url;
    this.#options = options;
    this.#parent = parent;
    this.#log = log;
    this.requests = new Requests(options.userAgent, url.credentials);
  }

  get url(): RtspUrl {
    return this.#url;
  }

  /** `rtsp://host:port`, without what may be secret. */
  get name(): string {
    return `rtsp://${formatAuthority(this.#url)}`;
  }

  /** As it stands in request lines. */
  get requestUrl(): string {
    return formatRtspUrl(this.#url);
  }

  connect(): void {
    const { host, port } = this.#url;
    const { interfaceName } = this.#options;
    const parent: DialerParent = {
      resolved: (first) => this.#parent.resolved(first),
      connected: (source) => {
        this.control = new RtspConnection(source, this.#parent);
        this.#parent.reached(this.control);
      },
      failed: (cause) => this.#parent.failed(asRtspError(this.name, cause)),
    };
    this.#dialer = new Dialer({ host, port, interfaceName }, this.#options, parent, this.#log);
  }

  /** Fails with `NoAnswerError` unless `answered` is called in time. */
  ask(method: string, url: string, headers: readonly HeaderField[]): void {
    const { timeoutMs } = this.#options;
    this.answered();
    this.#timer = setTimeout(() => this.#parent.failed(new NoAnswerError(this.name, method, timeoutMs)), timeoutMs);
    this.control?.send(this.requests.make(method, url, headers));
  }

  /** Nothing is waited for any more. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  /** Goes to another server, which knows nothing of what this one has been told. */
  moveTo(url: RtspUrl): void {
    this.leave();
    this.#url = url;
    this.requests.forget(url.credentials);
    this.connect();
  }

  /** Ends the connection, or the attempt. A server that has set up a session is told so. Harmless when repeated. */
  leave(): void {
    const { control } = this;
    this.answered();
    this.#dialer?.close();
    this.control = undefined;
    if (control?.isOpen && this.isSetUp) new Teardown(control, this.requests, this.requestUrl, this.#log);
    else control?.close();
    this.isSetUp = false;
  }
}

function asRtspError(server: string, { code, message }: DialError): RtspError {
  return code === "unresolved" ? new UnresolvedError(server, message) : new UnreachableError(server, message);
}
