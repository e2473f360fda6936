/** What can go wrong with a multicast group, one class per failure that somebody can act on. */

/** Base of them all; a client that has received nothing is answered 503. */
export class MulticastError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The socket, the bind or the join was refused. */
export class JoinFailedError extends MulticastError {
  constructor(name: string, cause: Error) {
    super("join-failed", `Cannot join ${name}: ${cause.message}`);
  }
}

export class InterfaceMissingError extends MulticastError {
  constructor(interfaceName: string) {
    super("interface-missing", `Interface ${interfaceName} does not exist (now); see "ip link" for the names`);
  }
}

/** Joined, but nothing came. */
export class NoDataError extends MulticastError {
  constructor(name: string) {
    super("no-data", `${name}: no media after joining`);
  }
}

/** Fell silent and did not come back. */
export class SilentError extends MulticastError {
  constructor(name: string) {
    super("silent", `${name} fell silent`);
  }
}
