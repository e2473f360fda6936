/** A multicast group as an upstream: joins, reads, notices silence and does something about it. */
import type { StreamInfo, Upstream, UpstreamParent } from "../../relay/stream.ts";
import {
  type DatagramReceiver,
  openReceiver,
  RECEIVER_KIND,
  type ReceiverKind,
} from "../../system/datagram-receiver.ts";
import { interfaceIndex, zoneIndex } from "../../system/interfaces.ts";
import type { Log } from "../../system/log.ts";
import type { Membership } from "../../system/multicast.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { LossReport } from "../rtp/loss-report.ts";
import { PollInterval } from "../rtp/poll-interval.ts";
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
  readonly input: Depacketizer;
  readonly #parent: UpstreamParent;
  readonly #target: MulticastTarget;
  readonly #options: MulticastOptions;
  readonly #log: Log;
  #state: "waiting" | "flowing" | "silent" | "closed" = "waiting";
  readonly #pace: PollInterval;
  #receiver: DatagramReceiver | undefined;
  #mediaAt: number;
  #rejoinedAt: number;
  #rejoins = 0;
  #reportedAt: number;
  readonly #lossReport: LossReport;
  #reportsFailed = false;

  /** @throws JoinFailedError, InterfaceMissingError */
  constructor(parent: UpstreamParent, target: MulticastTarget, options: MulticastOptions, log: Log, now: number) {
    this.#parent = parent;
    this.input = new Depacketizer(parent);
    this.#target = target;
    this.#options = options;
    this.#log = log;
    this.#mediaAt = this.#rejoinedAt = this.#reportedAt = now;
    this.#lossReport = new LossReport(target.name, log);
    this.#pace = new PollInterval(now, EAGER_MS);
    this.#receiver = this.#join();
    log.info(`Joined ${target.name}${this.#where()} (${this.#receiver.kind} receiver)`);
    const { receiveBuffer } = this.#receiver;
    // The kernel counts its own needs too, and so answers with twice what it grants.
    if (receiveBuffer > 0 && receiveBuffer < options.receiveBufferBytes * 2) {
      log.warn(`${target.name}: kernel receive buffer of only ${receiveBuffer / 2} bytes; raise net.core.rmem_max`);
    }
    if (options.rejoinIntervalS > 0 && target.group.family === 6) {
      log.warn(`${target.name}: periodic rejoin is for IPv4 only and is skipped for this group`);
    }
  }

  get info(): StreamInfo {
    const payload = this.input.payloadKind;
    return payload ? { protocol: "multicast", payload } : { protocol: "multicast" };
  }

  get tickMs(): number {
    return this.#pace.tickMs;
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  tick(now: number): void {
    if (this.#isClosed) return;
    const before = this.input.payloads;
    this.input.reorder.tick(now);
    this.#receive(now);
    // What we have handed over, or failed to join, may have made the parent close us.
    if (this.#isClosed) return;
    if (this.input.payloads > before) this.#media(now);
    else if (now - this.#mediaAt >= REJOIN_EVERY_MS) this.#silence(now);
    if (!this.#isClosed && now - this.#reportedAt >= REPORT_EVERY_MS) this.#housekeeping(now);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#state = "closed";
    this.#receiver?.close();
    this.#receiver = undefined;
    this.#lossReport.report(this.input);
    this.#log.info(`Left ${this.#target.name}`);
  }

  #receive(now: number): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#pace.observe(receiver.receive(this.input), receiver.receiveBuffer, now);
    if (receiver.failure) this.#joinFailedLate(receiver.failure);
  }

  /** An evented socket tells late that it could not join: at first that is the end, during a silence we try again. */
  #joinFailedLate(cause: Error): void {
    const failure = this.#joinFailed(cause);
    if (this.#rejoins > 0) this.#rejoinFailed(failure);
    else {
      this.#log.error(failure.message);
      this.#end(failure);
    }
  }

  #media(now: number): void {
    if (this.#state === "silent") {
      const seconds = ((now - this.#mediaAt) / 1000).toFixed(1);
      this.#log.warn(
        `${this.#target.name} was silent for ${seconds} s and is back after ${this.#rejoins} rejoins; ${ADVICE}${this.#where()}`,
      );
    }
    if (this.#state === "waiting") this.#pace.settle();
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
    const isNew = this.#state === "flowing";
    if (this.#state !== "waiting") {
      if (isNew) this.input.reorder.reset();
      this.#state = "silent";
      if (silentMs >= this.#options.gapTimeoutS * 1000) {
        this.#log.error(
          `${this.#target.name} has been silent for ${this.#options.gapTimeoutS} s, given up after ${this.#rejoins} rejoins; ${ADVICE}${this.#where()}`,
        );
        this.#end(new SilentError(this.#target.name));
        return;
      }
    }
    if (isNew || now - this.#rejoinedAt >= REJOIN_EVERY_MS) this.#rejoin(now);
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
      this.#rejoinFailed(error as Error);
    }
  }

  #rejoinFailed(error: Error): void {
    this.#receiver?.close();
    this.#receiver = undefined;
    this.#log.debug(`${error.message}; will try again`);
  }

  #housekeeping(now: number): void {
    this.#reportedAt = now;
    const failure = this.#receiver?.consumeReadError();
    if (failure) this.#log.error(`${this.#target.name}: cannot receive: ${failure.message}`);
    this.#lossReport.report(this.input);
    const interval = this.#options.rejoinIntervalS * 1000;
    if (interval > 0 && this.#target.group.family === 4 && now - this.#rejoinedAt >= interval) this.#sendReports(now);
  }

  #sendReports(now: number): void {
    this.#rejoinedAt = now;
    try {
      const failure = sendReports(this.#membership());
      if (!failure) return;
      this.#warnOnce(failure);
      this.#receiver?.rejoin();
    } catch (error) {
      // The interface is gone, or the join was refused: silence follows, and with it new tries to join.
      this.#log.debug(`${(error as Error).message}; will try again`);
    }
  }

  #warnOnce(failure: Error): void {
    if (this.#reportsFailed) return;
    this.#reportsFailed = true;
    this.#log.warn(`${this.#target.name}: cannot send IGMP reports (${failure.message}); leaving and joining instead`);
  }

  #end(cause: Error): void {
    this.#parent.ended(cause);
  }

  #join(): DatagramReceiver {
    try {
      return openReceiver(this.#membership(), this.#options.receiveBufferBytes, this.#receiverKind);
    } catch (error) {
      if (error instanceof InterfaceMissingError) throw error;
      throw this.#joinFailed(error as Error);
    }
  }

  #joinFailed(cause: Error): JoinFailedError {
    return new JoinFailedError(`${this.#target.name}${this.#where()}`, cause);
  }

  get #receiverKind(): ReceiverKind {
    return this.#options.receiver ?? RECEIVER_KIND;
  }

  /** @throws InterfaceMissingError */
  #membership(): Membership {
    const { group, port, source, interfaceName } = this.#target;
    const name = interfaceName ?? group.zone;
    const index = interfaceName !== undefined ? interfaceIndex(interfaceName) : group.zone ? zoneIndex(group.zone) : 0;
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
