/** Finds a way to the server: resolves its name and tries one address after the other (rtsp.md section 2). */
import type { Log } from "../../system/log.ts";
import { resolveHost } from "../../system/resolve.ts";
import { failureText } from "../../system/tcp-source.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { RtspUrl } from "../../wire/rtsp/url.ts";
import { type RtspError, UnreachableError, UnresolvedError } from "./errors.ts";
import { RtspConnection } from "./rtsp-connection.ts";

export interface ConnectorOptions {
  readonly interfaceName: string | undefined;
  /** For resolving, and for each address. */
  readonly timeoutMs: number;
  readonly resolve?: ((host: string) => Promise<readonly IpAddress[]>) | undefined;
}

export interface ConnectorParent {
  /** At least one address is known; the first is tried next. */
  resolved(first: IpAddress): void;
  /** The connection's events are the parent's from now on. */
  connected(control: RtspConnection): void;
  failed(cause: RtspError): void;
}

export class Connector {
  readonly #server: string;
  readonly #url: RtspUrl;
  readonly #options: ConnectorOptions;
  readonly #parent: ConnectorParent;
  readonly #log: Log;
  #state: "resolving" | "connecting" | "over" = "resolving";
  #addresses: readonly IpAddress[] = [];
  #control: RtspConnection | undefined;
  #lastFailure = "its name has no address";
  #timer: Timer | undefined;

  /** @param server as errors and the log call it */
  constructor(server: string, url: RtspUrl, options: ConnectorOptions, parent: ConnectorParent, log: Log) {
    this.#server = server;
    this.#url = url;
    this.#options = options;
    this.#parent = parent;
    this.#log = log;
    this.#resolve();
  }

  /** Gives up at once. Harmless when it is over. */
  close(): void {
    this.#state = "over";
    clearTimeout(this.#timer);
    this.#control?.close();
    this.#control = undefined;
  }

  #resolve(): void {
    const { resolve = resolveHost, timeoutMs } = this.#options;
    this.#limit(() => this.#fail(new UnresolvedError(this.#server, `no answer within ${timeoutMs} ms`)));
    resolve(this.#url.host).then(
      (addresses) => this.#resolved(addresses),
      (error: Error) => this.#fail(new UnresolvedError(this.#server, error.message)),
    );
  }

  #resolved(addresses: readonly IpAddress[]): void {
    if (this.#state !== "resolving") return;
    this.#state = "connecting";
    this.#addresses = addresses;
    if (addresses[0]) this.#parent.resolved(addresses[0]);
    this.#tryNext();
  }

  #tryNext(): void {
    this.#control?.close();
    this.#control = undefined;
    const [address, ...others] = this.#addresses;
    this.#addresses = others;
    if (!address) {
      this.#fail(new UnreachableError(this.#server, this.#lastFailure));
      return;
    }
    const { timeoutMs } = this.#options;
    this.#limit(() => this.#failedToConnect(`no answer within ${timeoutMs} ms`));
    try {
      this.#control = this.#connect(address);
    } catch (error) {
      this.#failedToConnect(failureText(error));
    }
  }

  #connect(address: IpAddress): RtspConnection {
    const target = { address, port: this.#url.port, interfaceName: this.#options.interfaceName };
    const control: RtspConnection = new RtspConnection(target, {
      connected: () => this.#connected(control),
      over: (reason) => control === this.#control && this.#failedToConnect(reason),
      response() {},
      frame() {},
    });
    return control;
  }

  #connected(control: RtspConnection): void {
    if (this.#state !== "connecting" || control !== this.#control) return;
    this.#control = undefined;
    this.close();
    this.#parent.connected(control);
  }

  #failedToConnect(reason: string): void {
    this.#lastFailure = reason;
    this.#log.debug(`${this.#server}: ${reason}`);
    this.#tryNext();
  }

  #fail(cause: RtspError): void {
    if (this.#state === "over") return;
    this.close();
    this.#parent.failed(cause);
  }

  #limit(onTimeout: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTimeout, this.#options.timeoutMs);
  }
}
