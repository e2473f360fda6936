/** What both multicast receivers do: `batched` (libc, Linux) and `evented` (Bun.udpSocket, everywhere). */
import { formatIpAddress, isMulticast } from "../wire/ip/address.ts";
import { BatchedReceiver } from "./batched-receiver.ts";
import { EventedReceiver } from "./evented-receiver.ts";
import { libc } from "./libc.ts";
import type { Memory } from "./memory.ts";
import type { Membership } from "./multicast.ts";

export type ReceiverKind = "batched" | "evented";

/** Takes datagrams one by one. The bytes are the receiver's again as soon as the call returns. */
export interface DatagramSink {
  datagram(memory: Memory, offset: number, length: number): void;
}

export interface DatagramReceiver {
  readonly kind: ReceiverKind;
  /** The kernel's receive buffer as it counts it, twice what was granted; 0 while unknown. */
  readonly receiveBuffer: number;
  /** Why there is no socket: an evented one is opened and joined later than it is made. Undefined while nothing failed. */
  readonly failure: Error | undefined;
  /**
   * Hands over all datagrams that have arrived, and answers how many there were (empty ones count, but are not handed over).
   * Only what the sink throws comes out of it.
   */
  receive(sink: DatagramSink): number;
  /** Why a reading ended early, once; undefined when none did since it was last asked. Reading goes on. */
  consumeReadError(): Error | undefined;
  /** Leaves the group and joins it again on the same socket. */
  rejoin(): void;
  close(): void;
}

/** The receiver that this machine can have. */
export const RECEIVER_KIND: ReceiverKind = libc ? "batched" : "evented";

/** @throws Error when the group is none; SystemCallError when the socket, the bind or the join is refused */
export function openReceiver(
  membership: Membership,
  receiveBufferBytes: number,
  kind: ReceiverKind = RECEIVER_KIND,
): DatagramReceiver {
  if (!isMulticast(membership.group)) throw new Error(`${formatIpAddress(membership.group)} is no multicast group`);
  return kind === "batched"
    ? new BatchedReceiver(membership, receiveBufferBytes)
    : new EventedReceiver(membership, receiveBufferBytes);
}
