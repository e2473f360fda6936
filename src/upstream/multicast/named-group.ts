/** A group, or its source, that is named instead of numbered: its addresses are looked up before it is joined. */
import type { StreamInfo, Upstream, UpstreamAbout, UpstreamParent } from "../../relay/upstream.ts";
import type { Log } from "../../system/log.ts";
import { resolveHost } from "../../system/resolve.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { UnknownGroupError } from "./errors.ts";
import { type MulticastSession, multicastInfo } from "./session.ts";
import type { MulticastUrl } from "./url.ts";

const RESOLVE_TIMEOUT_MS = 3000;
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
  #session: MulticastSession | undefined;

  /** @param join opens the group when its addresses are known */
  constructor(
    parent: UpstreamParent,
    url: MulticastUrl,
    about: UpstreamAbout,
    log: Log,
    join: (addresses: GroupAddresses) => MulticastSession,
  ) {
    this.about = about;
    this.#parent = parent;
    this.#log = log;
    resolveGroup(url).then(
      (addresses) => this.#join(() => join(addresses)),
      (error: Error) => this.#fail(new UnknownGroupError(about.url, error.message)),
    );
  }

  get info(): StreamInfo {
    return this.#session?.info ?? multicastInfo(undefined);
  }

  get rtp() {
    return this.#session?.rtp;
  }

  get tickMs(): number {
    return this.#session?.tickMs ?? RESOLVING_TICK_MS;
  }

  tick(now: number): void {
    this.#session?.tick(now);
  }

  close(): void {
    this.#state = "closed";
    this.#session?.close();
  }

  #join(join: () => MulticastSession): void {
    if (this.#state !== "resolving") return;
    try {
      this.#session = join();
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

async function resolveGroup({ group, source }: MulticastUrl): Promise<GroupAddresses> {
  const address = await resolve(group);
  return source === undefined ? { group: address } : { group: address, source: await resolve(source) };
}

async function resolve(host: string): Promise<IpAddress> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`name ${host} not resolved within 3 s`)), RESOLVE_TIMEOUT_MS);
  try {
    const [address] = await Promise.race([resolveHost(host), late]);
    if (!address) throw new Error(`name ${host} resolved to something that is no address`);
    return address;
  } finally {
    clearTimeout(timer);
  }
}
