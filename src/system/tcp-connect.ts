/** Begins outgoing TCP and TLS connections, through the interface that is asked for. */
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { scopeOf } from "./interfaces.ts";
import { libc } from "./libc.ts";
import { bindToDevice, closeSocket, openSocket, SOCK_STREAM, startConnecting, widenReceiveBuffer } from "./socket.ts";
import { addressFamily, socketAddress } from "./socket-address.ts";

/** What comes between two reads should fit: at 50 ms and 80 Mbit/s half a megabyte, and as much for the kernel's bookkeeping. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

export interface TcpTarget {
  readonly address: IpAddress;
  readonly port: number;
  /** Interface to send through, whatever the routing table says. */
  readonly interfaceName?: string | undefined;
  /** Name to verify the certificate for; undefined for plain TCP. */
  readonly tlsName?: string | undefined;
}

/** `1.2.3.4:80` or `[2001:db8::1]:80`. */
export function targetName({ address, port }: TcpTarget): string {
  const host = formatIpAddress(address);
  return address.family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

interface StartedTcp {
  /** False when the kernel refused the interface that was asked for, or cannot be asked: the routing table then chooses. */
  readonly isBound: boolean;
  /** Rejects when there is no connection; the handlers tell the rest. */
  readonly opening: Promise<unknown>;
}

/**
 * With libc, a socket is adopted while its connection is under way: its first `drain` tells that it is made. Without, Bun makes
 * the connection, and `open` tells. Over TLS, `handshake` tells.
 * @throws SystemCallError when not even the attempt can be made
 */
export function startTcp(target: TcpTarget, socket: Bun.SocketHandler<undefined>): StartedTcp {
  const { address, port, interfaceName, tlsName } = target;
  const tls = tlsName === undefined ? {} : { tls: { serverName: tlsName, rejectUnauthorized: true } };
  const common = { socket, allowHalfOpen: true, data: undefined, ...tls };
  if (!libc) {
    const opening = Bun.connect({ ...common, hostname: formatIpAddress(address), port });
    return { isBound: interfaceName === undefined, opening };
  }
  const { fd, isBound } = startSocket(target);
  // Bun's types do not know that a socket whose connection is under way is adopted, too.
  return { isBound, opening: Bun.connect({ ...common, fd } as never) };
}

/** A socket whose connection is under way: it can be bound to a device and given up at any time. */
function startSocket(target: TcpTarget): { readonly fd: number; readonly isBound: boolean } {
  const { address, port, interfaceName } = target;
  const fd = openSocket(addressFamily(address), SOCK_STREAM);
  widenReceiveBuffer(fd, RECEIVE_BUFFER_BYTES);
  const isBound = interfaceName === undefined || bindToDevice(fd, interfaceName);
  try {
    startConnecting(fd, socketAddress(address, port, scopeOf(address)), `${targetName(target)}: connect`);
    return { fd, isBound };
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}
