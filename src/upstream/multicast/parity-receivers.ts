/**
 * The ports of a group on which its parity comes (FEC, multicast.md sections 3 and 9.1). They are open only while media flows: as
 * long as one of them is a member, a group that is left and joined again would not be asked for anew.
 */
import { type DatagramReceiver, openReceiver, RECEIVER_KIND } from "../../system/datagram-receiver.ts";
import type { Log } from "../../system/log.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { type MulticastOptions, type MulticastTarget, membershipOf } from "./target.ts";

export class ParityReceivers {
  readonly #target: MulticastTarget;
  readonly #options: MulticastOptions;
  readonly #log: Log;
  #state: "closed" | "open" = "closed";
  #receivers: DatagramReceiver[] = [];
  #hasWarned = false;

  constructor(target: MulticastTarget, options: MulticastOptions, log: Log) {
    this.#target = target;
    this.#options = options;
    this.#log = log;
  }

  /** Media flows. A port that cannot be opened is done without. Harmless when repeated. */
  open(): void {
    if (this.#state === "open") return;
    this.#state = "open";
    for (const port of this.#target.parityPorts ?? []) this.#open(port);
  }

  /** Hands over all datagrams that have arrived. */
  receive(sink: DatagramSink): void {
    for (const receiver of this.#receivers) {
      receiver.receive(sink);
      // An evented socket tells late that it could not join.
      if (receiver.failure) this.#drop(receiver, receiver.failure);
    }
  }

  /** Harmless when repeated. */
  close(): void {
    this.#state = "closed";
    for (const receiver of this.#receivers.splice(0)) receiver.close();
  }

  #open(port: number): void {
    const kind = this.#options.receiver ?? RECEIVER_KIND;
    try {
      const membership = { ...membershipOf(this.#target, kind), port };
      this.#receivers.push(openReceiver(membership, this.#options.receiveBufferBytes, kind));
    } catch (error) {
      this.#warnOnce(error as Error);
    }
  }

  #drop(receiver: DatagramReceiver, cause: Error): void {
    this.#receivers = this.#receivers.filter((each) => each !== receiver);
    receiver.close();
    this.#warnOnce(cause);
  }

  #warnOnce(cause: Error): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#log.warn(`${this.#target.name}: no FEC, lost packets are not repaired: ${cause.message}`);
  }
}
