/** A membership in a multicast group: joins, joins anew while nothing comes, sends IGMP reports, and notices silence. */
import {
  type DatagramReceiver,
  openReceiver,
  RECEIVER_KIND,
  type ReceiverKind,
} from "../../system/datagram-receiver.ts";
import type { Log } from "../../system/log.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { InterfaceMissingError, JoinFailedError, NoDataError, SilentError } from "./errors.ts";
import { sendReports } from "./rejoin.ts";
import { type MulticastOptions, type MulticastTarget, membershipOf } from "./target.ts";

export interface GroupReceiverParent {
  /** The group fell silent: what comes next, if anything does, may be another stream. */
  fellSilent(): void;
  /** Nothing more is to be expected, and the log has been told. The parent closes the receiver. */
  failed(cause: Error): void;
}

/** Without media for this long after joining, the client is told 503. */
const FIRST_MEDIA_TIMEOUT_MS = 3000;
/** From so much silence on, the group is left and joined again, and then as often as that. */
const REJOIN_EVERY_MS = 1000;
const HOUSEKEEPING_MS = 1000;

const ADVICE = "check IGMP snooping and querier on the switch, the firewall";

type State = "waiting" | "flowing" | "silent" | "closed";

export class GroupReceiver {
  readonly #parent: GroupReceiverParent;
  readonly #target: MulticastTarget;
  readonly #options: MulticastOptions;
  readonly #log: Log;
  #state: State = "waiting";
  /** Undefined while a join anew has failed. */
  #receiver: DatagramReceiver | undefined;
  #mediaAt: number;
  /** When the group was joined again, or reports were sent. */
  #rejoinedAt: number;
  /** Since media last came. */
  #rejoins = 0;
  #housekeptAt: number;
  #reportsFailed = false;
  /** By sockets that are closed. */
  #pastDrops = 0;

  /** @throws JoinFailedError, InterfaceMissingError */
  constructor(parent: GroupReceiverParent, target: MulticastTarget, options: MulticastOptions, log: Log, now: number) {
    this.#parent = parent;
    this.#target = target;
    this.#options = options;
    this.#log = log;
    this.#mediaAt = this.#rejoinedAt = this.#housekeptAt = now;
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

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** The kernel's receive buffer as it counts it, in bytes; 0 while unknown. */
  get receiveBuffer(): number {
    return this.#receiver?.receiveBuffer ?? 0;
  }

  /** Datagrams that the kernel has dropped: they were here, and nobody has read them in time. */
  get kernelDrops(): number {
    return this.#pastDrops + (this.#receiver?.kernelDrops ?? 0);
  }

  /** Hands over all datagrams that have arrived, and answers how many there were. */
  receive(sink: DatagramSink): number {
    return this.#receiver?.receive(sink) ?? 0;
  }

  /** To be called after each reading; `hasMedia` says whether it brought media. Strays and parity do not end a silence. */
  tick(now: number, hasMedia: boolean): void {
    if (this.#receiver?.failure) this.#joinFailedLate(this.#receiver.failure);
    if (this.isClosed) return;
    if (hasMedia) this.#mediaCame(now);
    else if (now - this.#mediaAt >= REJOIN_EVERY_MS) this.#nothingCame(now);
    if (!this.isClosed && now - this.#housekeptAt >= HOUSEKEEPING_MS) this.#keepHouse(now);
  }

  /** Leaves the group. Harmless when repeated. */
  close(): void {
    if (this.isClosed) return;
    this.#enter("closed");
    this.#dropReceiver();
    this.#log.info(`Left ${this.#target.name}`);
  }

  /** The only place that changes the state. Closed is the end. */
  #enter(state: State): void {
    if (!this.isClosed) this.#state = state;
  }

  #mediaCame(now: number): void {
    if (this.#state === "silent") {
      const seconds = ((now - this.#mediaAt) / 1000).toFixed(1);
      this.#log.warn(
        `${this.#target.name} was silent for ${seconds} s and is back after ${this.#rejoins} rejoins; ${ADVICE}${this.#where()}`,
      );
    }
    this.#enter("flowing");
    this.#mediaAt = now;
    this.#rejoins = 0;
  }

  #nothingCame(now: number): void {
    const silentMs = now - this.#mediaAt;
    if (this.#state === "waiting" && silentMs >= FIRST_MEDIA_TIMEOUT_MS) {
      this.#fail(new NoDataError(this.#target.name), `${this.#target.name}: no media within 3 s of joining`);
      return;
    }
    const isNew = this.#state === "flowing";
    if (isNew) {
      this.#enter("silent");
      this.#parent.fellSilent();
    }
    if (this.#state === "silent" && silentMs >= this.#options.gapTimeoutS * 1000) {
      const how = `has been silent for ${this.#options.gapTimeoutS} s, given up after ${this.#rejoins} rejoins`;
      this.#fail(new SilentError(this.#target.name), `${this.#target.name} ${how}`);
      return;
    }
    // What was held back and is handed over now may have made the parent close us.
    if (!this.isClosed && (isNew || now - this.#rejoinedAt >= REJOIN_EVERY_MS)) this.#rejoin(now);
  }

  #fail(cause: Error, message: string): void {
    this.#log.error(`${message}; ${ADVICE}${this.#where()}`);
    this.#parent.failed(cause);
  }

  /** Leaves and joins with a new socket: that also finds an interface which vanished and came back under another index. */
  #rejoin(now: number): void {
    this.#rejoinedAt = now;
    this.#rejoins++;
    this.#dropReceiver();
    try {
      this.#receiver = this.#join();
    } catch (error) {
      this.#rejoinFailed(error as Error);
    }
  }

  /** An evented socket tells late that it could not join: at first that is the end, later we try again. */
  #joinFailedLate(cause: Error): void {
    const failure = this.#joinFailed(cause);
    if (this.#state === "waiting" && this.#rejoins === 0) {
      this.#log.error(failure.message);
      this.#parent.failed(failure);
    } else this.#rejoinFailed(failure);
  }

  #rejoinFailed(error: Error): void {
    this.#dropReceiver();
    this.#log.debug(`${error.message}; will try again`);
  }

  #dropReceiver(): void {
    this.#pastDrops = this.kernelDrops;
    this.#receiver?.close();
    this.#receiver = undefined;
  }

  #keepHouse(now: number): void {
    this.#housekeptAt = now;
    const failure = this.#receiver?.consumeReadError();
    if (failure) this.#log.error(`${this.#target.name}: cannot receive: ${failure.message}`);
    const interval = this.#options.rejoinIntervalS * 1000;
    if (interval > 0 && this.#target.group.family === 4 && now - this.#rejoinedAt >= interval) this.#sendReports(now);
  }

  #sendReports(now: number): void {
    this.#rejoinedAt = now;
    try {
      const failure = sendReports(membershipOf(this.#target, this.#receiverKind));
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

  #join(): DatagramReceiver {
    try {
      return openReceiver(
        membershipOf(this.#target, this.#receiverKind),
        this.#options.receiveBufferBytes,
        this.#receiverKind,
      );
    } catch (error) {
      if (error instanceof InterfaceMissingError) throw error;
      throw this.#joinFailed(error as Error);
    }
  }

  #joinFailed(cause: Error): JoinFailedError {
    return new JoinFailedError(this.#target.name, this.#target.interfaceName, cause);
  }

  get #receiverKind(): ReceiverKind {
    return this.#options.receiver ?? RECEIVER_KIND;
  }

  #where(): string {
    const name = this.#target.interfaceName;
    return name === undefined ? "" : ` on interface ${name}`;
  }
}
