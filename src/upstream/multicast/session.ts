/** A multicast group as an upstream: joins, reads, notices silence and does something about it. */
import type { Upstream, UpstreamFacts, UpstreamParent } from "../../relay/stream.ts";
import { type DatagramReceiver, openReceiver, RECEIVER_KIND, type ReceiverKind } from "../../system/datagram-receiver.ts";
import { interfaceIndex } from "../../system/interfaces.ts";
import type { Log } from "../../system/log.ts";
import type { Membership } from "../../system/multicast.ts";
import type { IpAddress } from "../../wire/ip-address.ts";
import { MediaInput } from "../rtp/media-input.ts";
import { InterfaceMissingError, JoinFailedError, NoDataError, SilentError } from "./errors.ts";
import { sendReports } from "./rejoin.ts";

/** What to receive. Addresses are resolved already. */
export interface MulticastTarget {
  /** For logs and messages, e.g. `rtp://239.1.1.1:5000`. */
  readonly name: string;
  readonly group: IpAddress;
  readonly port: number;
  readonly source?: IpAddress;
  /** Undefined leaves the choice to the routing table. */
  readonly interfaceName?: string;
}

export interface MulticastOptions {
  /** Kernel receive buffer to ask for, in bytes. */
  readonly receiveBufferBytes: number;
  /** Seconds between unsolicited reports (`-R`); 0 sends none. */
  readonly rejoinIntervalS: number;
  /** Seconds that a stream which fell silent is kept while we join anew. */
  readonly gapTimeoutS: number;
  /** The kind to use instead of the best one that this machine can have. */
  readonly receiver?: ReceiverKind;
}

/** Without media for this long after joining, the client is told 503. */
const FIRST_MEDIA_TIMEOUT_MS = 3000;
/** From so much silence on, the group is left and joined again, and then as often as that. */
const REJOIN_EVERY_MS = 1000;
/** How long a newly joined group is polled more often. */
const EAGER_MS = 300;
const REPORT_EVERY_MS = 1000;

const ADVICE = "check IGMP snooping and querier on the switch, the firewall";

export class MulticastSession implements Upstream {
  readonly input: MediaInput;
  readonly #parent: UpstreamParent;
  readonly #target: MulticastTarget;
  readonly #options: MulticastOptions;
  readonly #log: Log;
  #state: "waiting" | "flowing" | "silent" | "closed" = "waiting";
  #receiver: DatagramReceiver | undefined;
  #now: number;
  #mediaAt: number;
  #openedAt: number;
  #rejoinedAt: number;
  #rejoins = 0;
  #reportedAt: number;
  #reportedLost = 0;
  #reportsFailed = false;
  #sawMedia = false;

  /** @throws JoinFailedError, InterfaceMissingError */
  constructor(parent: UpstreamParent, target: MulticastTarget, options: MulticastOptions, log: Log, now: number) {
    // The parent is told of media through us, so that silence is noticed without asking anybody.
    this.#parent = parent;
    this.input = new MediaInput({
      append: (memory, offset, length) => {
        this.#sawMedia = true;
        parent.append(memory, offset, length);
      },
      markRandomAccess: (within, preamble) => parent.markRandomAccess(within, preamble),
      ended: (cause) => parent.ended(cause),
    });
    this.#target = target;
    this.#options = options;
    this.#log = log;
    this.#now = this.#mediaAt = this.#openedAt = this.#rejoinedAt = this.#reportedAt = now;
    this.#receiver = this.#join();
    log.info(`Joined ${target.name}${this.#where()} (${this.#receiver.kind} receiver)`);
    if (options.rejoinIntervalS > 0 && target.group.family === 6) {
      log.warn(`${target.name}: periodic rejoin is for IPv4 only and is skipped for this group`);
    }
  }

  get facts(): UpstreamFacts {
    const payload = this.input.payloadKind;
    return payload ? { protocol: "multicast", payload } : { protocol: "multicast" };
  }

  get isEager(): boolean {
    return this.#state === "waiting" && this.#now - this.#openedAt < EAGER_MS;
  }

  tick(now: number): void {
    if (this.#state === "closed") return;
    this.#now = now;
    this.input.reorder.tick(now);
    this.#sawMedia = false;
    this.#receive();
    if (this.#sawMedia) this.#media(now);
    else if (now - this.#mediaAt >= REJOIN_EVERY_MS) this.#silence(now);
    if (now - this.#reportedAt >= REPORT_EVERY_MS) this.#housekeeping(now);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#receiver?.close();
    this.#receiver = undefined;
    this.#log.info(`Left ${this.#target.name}`);
  }

  #receive(): void {
    try {
      this.#receiver?.receive(this.input);
    } catch (error) {
      this.#end(new JoinFailedError(this.#target.name, error as Error));
    }
  }

  #media(now: number): void {
    if (this.#state === "silent") {
      const seconds = ((now - this.#mediaAt) / 1000).toFixed(1);
      this.#log.warn(
        `${this.#target.name} was silent for ${seconds} s and is back after ${this.#rejoins} rejoins; ${ADVICE}${this.#where()}`,
      );
    }
    this.#state = "flowing";
    this.#mediaAt = now;
    this.#rejoins = 0;
  }

  #silence(now: number): void {
    const silentMs = now - this.#mediaAt;
    if (this.#state === "waiting" && silentMs >= FIRST_MEDIA_TIMEOUT_MS) {
      this.#log.error(`${this.#target.name}: no media within 3 s of joining; ${ADVICE}${this.#where()}`);
      this.#end(new NoDataError(this.#target.name));
      return;
    }
    if (this.#state !== "waiting") {
      if (this.#state === "flowing") this.input.reorder.reset();
      this.#state = "silent";
      if (silentMs >= this.#options.gapTimeoutS * 1000) {
        this.#log.error(
          `${this.#target.name} has been silent for ${this.#options.gapTimeoutS} s, given up after ${this.#rejoins} rejoins; ${ADVICE}${this.#where()}`,
        );
        this.#end(new SilentError(this.#target.name));
        return;
      }
    }
    if (now - this.#rejoinedAt >= REJOIN_EVERY_MS) this.#rejoin(now);
  }

  /** Leaves and joins with a new socket: that also finds an interface which vanished and came back under another index. */
  #rejoin(now: number): void {
    this.#rejoinedAt = now;
    this.#rejoins++;
    this.#receiver?.close();
    this.#receiver = undefined;
    try {
      this.#receiver = this.#join();
    } catch (error) {
      this.#log.debug(`${(error as Error).message}; will try again`);
    }
  }

  #housekeeping(now: number): void {
    this.#reportedAt = now;
    const { lost } = this.input.reorder.counts;
    if (lost > this.#reportedLost) {
      this.#log.warn(`${this.#target.name}: ${lost - this.#reportedLost} RTP packets lost on the way to us`);
      this.#reportedLost = lost;
    }
    const interval = this.#options.rejoinIntervalS * 1000;
    if (interval > 0 && this.#target.group.family === 4 && now - this.#rejoinedAt >= interval) this.#sendReports(now);
  }

  #sendReports(now: number): void {
    this.#rejoinedAt = now;
    let failure = sendReports(this.#membership());
    if (failure) {
      try {
        this.#receiver?.rejoin();
      } catch (error) {
        failure = error as Error;
      }
      if (!this.#reportsFailed) {
        this.#log.warn(`${this.#target.name}: cannot send IGMP reports (${failure.message}); leaving and joining instead`);
      }
      this.#reportsFailed = true;
    }
  }

  #end(cause: Error): void {
    this.#parent.ended(cause);
  }

  #join(): DatagramReceiver {
    try {
      return openReceiver(this.#membership(), this.#options.receiveBufferBytes, this.#receiverKind);
    } catch (error) {
      if (error instanceof InterfaceMissingError) throw error;
      throw new JoinFailedError(`${this.#target.name}${this.#where()}`, error as Error);
    }
  }

  get #receiverKind(): ReceiverKind {
    return this.#options.receiver ?? RECEIVER_KIND;
  }

  /** @throws InterfaceMissingError */
  #membership(): Membership {
    const { group, port, source, interfaceName } = this.#target;
    const name = interfaceName ?? group.zone;
    const index = name === undefined ? 0 : interfaceIndex(name);
    if (index === undefined && this.#receiverKind === "batched") throw new InterfaceMissingError(name!);
    return {
      group,
      port,
      interfaceIndex: index ?? 0,
      ...(source && { source }),
      ...(name !== undefined && { interfaceName: name }),
    };
  }

  #where(): string {
    const name = this.#target.interfaceName;
    return name === undefined ? "" : ` on interface ${name}`;
  }
}
