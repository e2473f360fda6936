/** Multicast receivers of both kinds: `batched` (libc, Linux) and `evented` (Bun.udpSocket, everywhere). */
import { formatIpAddress, isMulticast } from "../wire/ip/address.ts";
import { EventedSocket } from "./evented-socket.ts";
import { libc } from "./libc.ts";
import type { Membership } from "./multicast.ts";
import { type DatagramSocket, UdpSocket } from "./udp-socket.ts";

export type ReceiverKind = "batched" | "evented";

/** A socket that is a member of a group. An evented one joins late, and then `failure` tells that it could not. */
export interface DatagramReceiver extends DatagramSocket {
  readonly kind: ReceiverKind;
  /** Leaves the group and joins it again on the same socket. */
  rejoin(): void;
}

/** The receiver that this machine can have. */
export const RECEIVER_KIND: ReceiverKind = libc ? "batched" : "evented";

/** @throws Error when the group is none; SystemCallError when the socket, the bind or the join is refused */
export function openReceiver(
  membership: Membership,
  receiveBufferBytes: number,
  kind: ReceiverKind = RECEIVER_KIND,
): DatagramReceiver {
  const { group, port, interfaceName } = membership;
  if (!isMulticast(group)) throw new Error(`${formatIpAddress(group)} is no multicast group`);
  const options = { address: group, port, interfaceName, receiveBufferBytes, isShared: true, membership };
  return kind === "batched" ? new UdpSocket(options) : new EventedSocket(options);
}
