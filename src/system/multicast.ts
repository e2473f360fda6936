/** Multicast membership through libc: by interface index, any source or one source, IPv4 and IPv6 alike (RFC 3678 section 5). */
import type { IpAddress } from "../wire/ip/address.ts";
import { bindToDevice, closeSocket, openSocket, SOCK_RAW, sendTo, setOption, tryOption } from "./socket.ts";
import { AF_INET, socketAddress } from "./socket-address.ts";

/** What to join, and where. */
export interface Membership {
  readonly group: IpAddress;
  readonly port: number;
  /** Source-specific when given. */
  readonly source?: IpAddress;
  readonly interfaceName?: string;
  /** 0 lets the kernel choose by its routes. */
  readonly interfaceIndex: number;
}

const IPPROTO_IP = 0;
const IPPROTO_IGMP = 2;
const IPPROTO_IPV6 = 41;
const IP_OPTIONS = 4;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_ALL = 49;
const IPV6_MULTICAST_ALL = 29;
const MCAST_JOIN_GROUP = 42;
const MCAST_LEAVE_GROUP = 45;
const MCAST_JOIN_SOURCE_GROUP = 46;
const MCAST_LEAVE_SOURCE_GROUP = 47;
const SOCKADDR_STORAGE_BYTES = 128;
const ROUTER_ALERT = Uint8Array.of(0x94, 4, 0, 0);

/**
 * Makes a socket hear no group but those that it has joined itself, where it has. False when the kernel cannot (IPv6 before 4.20):
 * then it also hears what others have joined on other interfaces, whoever sends it.
 */
export function hearOwnGroupsOnly(fd: number, family: 4 | 6): boolean {
  return family === 4
    ? tryOption(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)
    : tryOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
}

/** @throws SystemCallError */
export function changeMembership(fd: number, membership: Membership, change: "join" | "leave"): void {
  const { group, source } = membership;
  const request = new Uint8Array(8 + SOCKADDR_STORAGE_BYTES * (source ? 2 : 1));
  new DataView(request.buffer).setUint32(0, membership.interfaceIndex, true);
  request.set(socketAddress(group, 0), 8);
  if (source) request.set(socketAddress(source, 0), 8 + SOCKADDR_STORAGE_BYTES);
  const [join, leave] = source
    ? [MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP]
    : [MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP];
  setOption(fd, group.family === 4 ? IPPROTO_IP : IPPROTO_IPV6, change === "join" ? join : leave, request, change);
}

/**
 * Sends one IGMP message with the Router Alert option (multicast.md section 4).
 * @throws SystemCallError, EPERM without the privilege for raw sockets
 */
export function sendIgmp(message: Uint8Array, to: Uint8Array, interfaceName: string | undefined, index: number): void {
  const fd = openSocket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
  try {
    if (interfaceName !== undefined) bindToDevice(fd, interfaceName);
    setOption(fd, IPPROTO_IP, IP_OPTIONS, ROUTER_ALERT);
    setOption(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
    if (index !== 0) {
      // struct ip_mreqn: group, address, interface index
      const request = new Uint8Array(12);
      new DataView(request.buffer).setInt32(8, index, true);
      setOption(fd, IPPROTO_IP, IP_MULTICAST_IF, request);
    }
    sendTo(fd, message, socketAddress({ family: 4, bytes: to }, 0));
  } finally {
    closeSocket(fd);
  }
}
