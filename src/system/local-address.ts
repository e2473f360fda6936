/** Which of our own addresses leads to another one. */
import type { IpAddress } from "../wire/ip/address.ts";
import { libc } from "./libc.ts";
import { bindToDevice, closeSocket, SOCK_DGRAM } from "./socket.ts";
import { AF_INET, readSocketAddress, SOCKADDR_IN6_BYTES, socketAddress } from "./socket-address.ts";

/** The discard service: nothing is sent, any port will do. */
const SOME_PORT = 9;

/**
 * The IPv4 address that the kernel puts into packets to `remote`, by its routes. Undefined for IPv6, without a route, and where
 * libc cannot be opened.
 */
export function localAddressTowards(remote: IpAddress, interfaceName: string | undefined): IpAddress | undefined {
  if (!libc || remote.family !== 4) return undefined;
  const c = libc;
  const fd = c.socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return undefined;
  try {
    if (interfaceName !== undefined) bindToDevice(fd, interfaceName);
    // Connecting a datagram socket only looks up the route.
    const to = socketAddress(remote, SOME_PORT);
    const own = new Uint8Array(SOCKADDR_IN6_BYTES);
    if (c.connect(fd, to, to.length) < 0) return undefined;
    if (c.getsockname(fd, own, Uint32Array.of(own.length)) < 0) return undefined;
    return readSocketAddress(own).address;
  } finally {
    closeSocket(fd);
  }
}
