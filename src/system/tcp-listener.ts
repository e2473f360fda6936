/** Listening TCP sockets for a supervisor: names resolved, one socket an address (config.md section 10). */
import { formatIpAddress, type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { errorAdvice, errorReason } from "./errno.ts";
import { existingInterfaces, zoneIndex } from "./interfaces.ts";
import { openListeningSocket } from "./listening-socket.ts";
import { resolveHost } from "./resolve.ts";
import { localPort, SO_REUSEADDR, SO_REUSEPORT, SOL_SOCKET, SystemCallError, setOption } from "./socket.ts";
import { addressFamily, socketAddress } from "./socket-address.ts";
import { tuneListeningSocket } from "./tcp.ts";

const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const WILDCARDS = ["0.0.0.0", "::"];
const EACCES = 13;
const EADDRNOTAVAIL = 99;
const FIRST_FREE_PORT = 1024;

export interface TcpEndpoint {
  /** A name, or an IP literal without brackets; undefined for all addresses. */
  readonly host: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface TcpListener {
  readonly fd: number;
  readonly address: string;
  readonly port: number;
}

/** An address that cannot be listened on. The message is the log line: `Cannot bind: 0.0.0.0 port 80: permission denied`. */
export class TcpListenError extends Error {
  readonly code = "cannot-bind";
  /** Address and port in words. */
  readonly endpoint: string;

  constructor(endpoint: string, reason: string, cause?: unknown) {
    super(`Cannot bind: ${endpoint}: ${reason}`, { cause });
    this.endpoint = endpoint;
  }
}

/** A host that has no address. The message is the log line: `GAI: nowhere.example: name or service not known`. */
export class ResolveError extends Error {
  readonly code = "unresolvable";
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super(`GAI: ${host}: ${cause === undefined ? "the name has no address" : errorAdvice(cause)}`, { cause });
    this.host = host;
  }
}

/**
 * Listens on every address of an endpoint. A machine may have only one of the address families, so failures are part of the
 * result, one for each address; nothing listens when `listeners` is empty.
 * @param beside sockets of ours that may cover the same addresses, as `*` does those of every interface: they are shared then
 * @throws ResolveError
 */
export async function openTcpListeners(
  endpoint: TcpEndpoint,
  beside: readonly TcpListener[] = [],
): Promise<{
  readonly listeners: readonly TcpListener[];
  readonly failures: readonly TcpListenError[];
}> {
  const listeners: TcpListener[] = [];
  const failures: TcpListenError[] = [];
  for (const { fd } of beside) sharePort(fd);
  for (const address of await addressesOf(endpoint.host)) {
    // All addresses of one endpoint get the same port, also a free one.
    const port = endpoint.port === 0 ? (listeners[0]?.port ?? 0) : endpoint.port;
    try {
      listeners.push(open(address, port, beside.length > 0 ? sharePort : () => {}));
    } catch (error) {
      if (!(error instanceof TcpListenError)) throw error;
      failures.push(error);
    }
  }
  return { listeners, failures };
}

/** Both wildcards for undefined. */
async function addressesOf(host: string | undefined): Promise<readonly IpAddress[]> {
  if (host === undefined) return WILDCARDS.map((text) => parseIpAddress(text)!);
  try {
    const addresses = await resolveHost(host);
    if (addresses.length > 0) return addresses;
  } catch (error) {
    throw new ResolveError(host, error);
  }
  throw new ResolveError(host, undefined);
}

/**
 * Opens one more socket on the address and port of `first`; the kernel spreads new connections over them. From then on other
 * programs of the same user can join in, too, which is why a socket that is alone refuses that.
 * @throws TcpListenError
 */
export function openSibling(first: TcpListener): TcpListener {
  const address = parseIpAddress(first.address);
  if (!address) throw new TcpListenError(first.address, "no address");
  sharePort(first.fd);
  return open(address, first.port, sharePort);
}

function sharePort(fd: number): void {
  setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/**
 * Listens on one address, which nobody else may listen on unless `setOptions` allows it; IPv6 never takes IPv4 along. What is
 * accepted inherits keepalive and timeouts.
 * @throws TcpListenError
 */
function open(address: IpAddress, port: number, setOptions: (fd: number) => void): TcpListener {
  const text = formatIpAddress(address);
  const bytes = socketAddress(address, port, address.zone === undefined ? 0 : (zoneIndex(address.zone) ?? 0));
  try {
    const fd = openListeningSocket(addressFamily(address), bytes, (socket) => {
      setOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
      if (address.family === 6) setOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      tuneListeningSocket(socket);
      setOptions(socket);
    });
    return { fd, address: text, port: localPort(fd) };
  } catch (error) {
    throw new TcpListenError(`${text} port ${port}`, listenReason(error, port), error);
  }
}

function listenReason(error: unknown, port: number): string {
  const number = error instanceof SystemCallError ? error.errno : 0;
  if (number === EADDRNOTAVAIL) return `${errorReason(error)} (no interface has it: ${existingInterfaces()})`;
  if (number === EACCES && port < FIRST_FREE_PORT)
    return `${errorReason(error)} (ports below ${FIRST_FREE_PORT} need root or CAP_NET_BIND_SERVICE)`;
  return errorAdvice(error);
}
