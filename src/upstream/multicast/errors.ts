/** What can go wrong with a multicast group, one class per failure that somebody can act on. */
import { UpstreamError } from "../../relay/upstream.ts";

/** The socket, the bind or the join was refused. */
export class JoinFailedError extends UpstreamError {
  constructor(name: string, cause: Error) {
    super("join-failed", `Cannot join ${name}: ${cause.message}`);
  }
}

export class InterfaceMissingError extends UpstreamError {
  constructor(interfaceName: string) {
    super("interface-missing", `Interface ${interfaceName} does not exist (now); see "ip link" for the names`);
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
