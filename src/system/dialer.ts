/** Finds a way to a server: resolves its name and tries one address after the other until a connection is made. */
import type { IpAddress } from "../wire/ip/address.ts";
import { errorReason } from "./errno.ts";
import { existingInterfaces, hasInterface } from "./interfaces.ts";
import type { Log } from "./log.ts";
import type { ResolveOptions } from "./name-service.ts";
import type { Reach, ReachProblem } from "./reach.ts";
import { resolveHost } from "./resolve.ts";
import { TcpSource } from "./tcp-source.ts";

export interface DialTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** Interface to send through, whatever the routing table says. */
  readonly interfaceName?: string | undefined;
  /** Name to verify the certificate for; undefined for plain TCP. */
  readonly tlsName?: string | undefined;
}

export interface DialOptions {
  /** For resolving, and for each address. */
  readonly timeoutMs: number;
  /** Addresses of a host name in the order in which to try them. */
  readonly resolve?: ((host: string, options: ResolveOptions) => Promise<readonly IpAddress[]>) | undefined;
  /** On whose behalf: the address of an HTTP client. */
  readonly client?: string | undefined;
  /** Is asked for each address. */
  readonly reach: Reach;
}

export interface DialerParent {
  /** At least one address is known; the first is tried next. */
  resolved?(first: IpAddress): void;
  /** The connection is the parent's from now on, who takes over its events before this returns. */
  connected(source: TcpSource): void;
  failed(cause: DialError): void;
}

export class DialError extends Error {
  readonly code: "unresolved" | "unreachable" | ReachProblem["code"];

  /** @param reason in words, without the server's name */
  constructor(code: DialError["code"], reason: string) {
    super(reason);
    this.code = code;
  }
}

export class Dialer {
  readonly #target: DialTarget;
  readonly #options: DialOptions;
  readonly #parent: DialerParent;
  readonly #log: Log;
  #state: "resolving" | "connecting" | "over" = "resolving";
  /** Still to be tried. */
  #addresses: readonly IpAddress[] = [];
  #source: TcpSource | undefined;
  #lastFailure = "its name has no address";
  /** Of the first address that must not be tried. */
  #problem: ReachProblem | undefined;
  #timer: Timer | undefined;
  readonly #resolving = new AbortController();

  constructor(target: DialTarget, options: DialOptions, parent: DialerParent, log: Log) {
    this.#target = target;
    this.#options = options;
    this.#parent = parent;
    this.#log = log;
    this.#resolve();
  }

  /** Gives up at once, and tells nothing more. Harmless when it is over. */
  close(): void {
    this.#enter("over");
    this.#resolving.abort();
    this.#source?.close();
    this.#source = undefined;
  }

  /** The only place that changes the state. */
  #enter(state: "connecting" | "over"): void {
    clearTimeout(this.#timer);
    this.#state = state;
  }

  #resolve(): void {
    const { resolve = resolveHost, timeoutMs, client } = this.#options;
    this.#limit(() => this.#fail("unresolved", `no answer within ${timeoutMs} ms`));
    resolve(this.#target.host, { signal: this.#resolving.signal, client }).then(
      (addresses) => this.#resolved(addresses),
      (error: unknown) => this.#fail("unresolved", errorReason(error)),
    );
  }

  #resolved(addresses: readonly IpAddress[]): void {
    if (this.#state !== "resolving") return;
    this.#enter("connecting");
    this.#addresses = addresses;
    if (addresses[0]) this.#parent.resolved?.(addresses[0]);
    this.#tryNext();
  }

  #tryNext(): void {
    if (this.#state !== "connecting") return;
    this.#source?.close();
    this.#source = undefined;
    const [address, ...others] = this.#addresses;
    this.#addresses = others;
    if (address) this.#try(address);
    // That it must not be is the reason, whatever others have failed of.
    else if (this.#problem) this.#fail(this.#problem.code, this.#problem.reason);
    else this.#fail("unreachable", this.#lastFailure);
  }

  #try(address: IpAddress): void {
    const { host, port } = this.#target;
    const problem = this.#options.reach.connection({ host, address, port });
    if (!problem) this.#connect(address);
    else if (problem.code === "loop") this.#fail(problem.code, problem.reason);
    else {
      this.#problem ??= problem;
      this.#tryNext();
    }
  }

  #connect(address: IpAddress): void {
    const { port, interfaceName, tlsName } = this.#target;
    const { timeoutMs } = this.#options;
    this.#limit(() => this.#addressFailed(`${this.#source?.name}: no answer within ${timeoutMs} ms`));
    try {
      const source = new TcpSource(
        { address, port, interfaceName, tlsName },
        {
          connected: () => source === this.#source && this.#connected(source),
          readable: () =>
            source === this.#source && this.#addressFailed(source.failure?.message ?? "connection closed"),
        },
      );
      this.#source = source;
      if (!source.isBound) this.#reportUnbound();
    } catch (error) {
      this.#addressFailed((error as Error).message);
    }
  }

  #connected(source: TcpSource): void {
    this.#enter("over");
    this.#source = undefined;
    this.#parent.connected(source);
  }

  #addressFailed(reason: string): void {
    this.#lastFailure = reason;
    this.#log.debug(`${this.#target.host}: ${reason}`);
    this.#tryNext();
  }

  #reportUnbound(): void {
    const { host, interfaceName } = this.#target;
    const why = hasInterface(interfaceName ?? "")
      ? "this kernel wants a privilege for it"
      : `it does not exist (now), ${existingInterfaces()}`;
    this.#log.error(`${host}: cannot be bound to the interface ${interfaceName}, the routing table chooses: ${why}`);
  }

  #fail(code: DialError["code"], reason: string): void {
    if (this.#state === "over") return;
    this.close();
    this.#parent.failed(new DialError(code, reason));
  }

  #limit(onTimeout: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTimeout, this.#options.timeoutMs);
  }
}
