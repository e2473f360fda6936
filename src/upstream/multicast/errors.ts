/** What can go wrong with a multicast group, one class per failure that somebody can act on. */
import { UpstreamError } from "../../relay/upstream.ts";
import { errorAdvice } from "../../system/errno.ts";
import { existingInterfaces } from "../../system/interfaces.ts";
import { SystemCallError } from "../../system/socket.ts";

/** The socket, the bind or the join was refused. */
export class JoinFailedError extends UpstreamError {
  constructor(name: string, interfaceName: string | undefined, cause: Error) {
    const where = interfaceName === undefined ? "" : ` on interface ${interfaceName}`;
    super("join-failed", `Cannot join ${name}${where}: ${joinReason(interfaceName, cause)}`);
  }
}

const ENODEV = 19;
const EADDRNOTAVAIL = 99;
const ENETUNREACH = 101;

/** What the kernel says without an interface is about its routes, which no number tells. */
function joinReason(interfaceName: string | undefined, cause: Error): string {
  const errno = cause instanceof SystemCallError ? cause.errno : 0;
  if (errno !== ENODEV && errno !== EADDRNOTAVAIL && errno !== ENETUNREACH) return errorAdvice(cause);
  if (interfaceName !== undefined) return `the interface cannot be used (now); ${existingInterfaces()}`;
  return `no route leads to it; name its interface with upstream-interface-multicast (-r): ${existingInterfaces()}`;
}

export class InterfaceMissingError extends UpstreamError {
  constructor(interfaceName: string) {
    super("interface-missing", `Interface ${interfaceName} does not exist (now); ${existingInterfaces()}`);
  }
}

/** The group's name, or the source's, has no address. */
export class UnknownGroupError extends UpstreamError {
  constructor(name: string, reason: string) {
    super("unknown-group", `${name}: ${reason}`, 404);
  }
}

/** Joined, but nothing came. */
export class NoDataError extends UpstreamError {
  constructor(name: string) {
    super("no-data", `${name}: no media after joining`);
  }
}

/** Fell silent and did not come back. */
export class SilentError extends UpstreamError {
  constructor(name: string) {
    super("silent", `${name} fell silent`);
  }
}
