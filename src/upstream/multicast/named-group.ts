/** A group, or its source, that is named instead of numbered: its addresses are looked up before it is joined. */
import type { ConsumerStart, StreamInfo, Upstream, UpstreamAbout, UpstreamParent } from "../../relay/upstream.ts";
import { errorAdvice } from "../../system/errno.ts";
import type { Log } from "../../system/log.ts";
import { resolveHost } from "../../system/resolve.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { UnknownGroupError } from "./errors.ts";
import { multicastInfo } from "./session.ts";
import type { MulticastUrl } from "./url.ts";

const RESOLVING_TICK_MS = 1000;

interface GroupAddresses {
  readonly group: IpAddress;
  readonly source?: IpAddress;
}

export class NamedGroup implements Upstream {
  readonly about: UpstreamAbout;
  readonly #parent: UpstreamParent;
  readonly #log: Log;
  #state: "resolving" | "joined" | "closed" = "resolving";
  #session: Upstream | undefined;
  #isMeasured = false;
  readonly #resolving = new AbortController();

  /** @param join opens the group when its addresses are known */
  constructor(
    parent: UpstreamParent,
    url: MulticastUrl,
    about: UpstreamAbout,
    log: Log,
    join: (addresses: GroupAddresses) => Upstream,
  ) {
    this.about = about;
    this.#parent = parent;
    this.#log = log;
    resolveGroup(url, this.#resolving.signal).then(
      (addresses) => this.#join(() => join(addresses)),
      (error: Error) => this.#fail(new UnknownGroupError(about.url, errorAdvice(error))),
    );
  }

  get info(): StreamInfo {
    return this.#session?.info ?? multicastInfo(undefined);
  }

  infoFor(start: ConsumerStart): StreamInfo {
    const session = this.#session;
    return session?.infoFor ? session.infoFor(start) : this.info;
  }

  get rtp() {
    return this.#session?.rtp;
  }

  get arrival() {
    return this.#session?.arrival;
  }

  measureArrival(isMeasured: boolean): void {
    this.#isMeasured = isMeasured;
    this.#session?.measureArrival?.(isMeasured);
  }

  get details() {
    return this.#session?.details;
  }

  get tickMs(): number {
    return this.#session?.tickMs ?? RESOLVING_TICK_MS;
  }

  tick(now: number): void {
    this.#session?.tick(now);
  }

  close(): void {
    this.#state = "closed";
    this.#resolving.abort();
    this.#session?.close();
  }

  #join(join: () => Upstream): void {
    if (this.#state !== "resolving") return;
    try {
      this.#session = join();
      this.#session.measureArrival?.(this.#isMeasured);
      this.#state = "joined";
      this.#parent.wake();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(cause: Error): void {
    if (this.#state === "closed") return;
    this.#log.error(cause.message);
    this.#parent.ended(cause);
  }
}

async function resolveGroup({ group, source }: MulticastUrl, signal: AbortSignal): Promise<GroupAddresses> {
  const address = await resolve(group, signal);
  return source === undefined ? { group: address } : { group: address, source: await resolve(source, signal) };
}

async function resolve(host: string, signal: AbortSignal): Promise<IpAddress> {
  const [address] = await resolveHost(host, { signal });
  if (!address) throw new Error(`name ${host} has no address`);
  return address;
}
