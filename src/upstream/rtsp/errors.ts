/** What can go wrong with an RTSP server, one class per failure that somebody can act on. */
import { UpstreamError } from "../../relay/upstream.ts";

/** Base of them all; a client that has received nothing is answered 503. */
class RtspError extends UpstreamError {
  /** @param server as in the log, `rtsp://host:port` */
  constructor(code: string, server: string, message: string) {
    super(code, `${server}: ${message}`);
  }
}

export class UnresolvedError extends RtspError {
  constructor(server: string, reason: string) {
    super("unresolved", server, `its name is not resolved: ${reason}; check the URL and the DNS server`);
  }
}

export class UnreachableError extends RtspError {
  constructor(server: string, reason: string) {
    super("unreachable", server, `no connection: ${reason}; check address, port, route and firewall`);
  }
}

/** Connected, but a request was not answered in time. */
export class NoAnswerError extends RtspError {
  constructor(server: string, method: string, ms: number) {
    super("no-answer", server, `no answer to ${method} within ${ms} ms; check whether the server is overloaded`);
  }
}

/** The server has closed the connection, or it broke, before media came. */
export class ClosedError extends RtspError {
  constructor(server: string, stage: string, reason: string) {
    super("closed", server, `${reason} (${stage}); check the server's log`);
  }
}

/** An answer that is no success. */
export class RefusedError extends RtspError {
  constructor(server: string, method: string, status: number, reason: string) {
    super("refused", server, `${method} answered with ${status} ${reason}; ${adviceFor(status)}`);
  }
}

function adviceFor(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return "check whether this relay's address and user may watch this channel";
    case 400:
    case 405:
    case 501:
    case 505:
    case 551:
      return "check whether the URL is that of an RTSP server for players";
    case 453:
    case 503:
      return "the server has no more room: end other sessions, or try again later";
    case 454:
    case 455:
      return "the server has lost the session: try again";
    case 457:
      return "check the times that are asked for";
    case 461:
      return "check which transports the server allows";
    default:
      return status >= 500
        ? "the server has a problem of its own: look into its log, or try again later"
        : "check path and parameters of the URL";
  }
}

export class UnauthorizedError extends RtspError {
  constructor(server: string, method: string, reason: string) {
    super("unauthorized", server, `${method} needs a password and ${reason}; check user and password in the URL`);
  }
}

export class RedirectError extends RtspError {
  constructor(server: string, reason: string) {
    super("redirect", server, `redirected, but ${reason}; check the URL that the server redirects to`);
  }
}

/** PLAY was accepted, but nothing came. */
export class NoMediaError extends RtspError {
  constructor(server: string, transport: string, ms: number) {
    const advice = transport === "udp" ? "check the firewall and NAT for UDP" : "check whether the channel is on air";
    super("no-media", server, `no media within ${ms} ms of PLAY over ${transport}; ${advice}`);
  }
}
