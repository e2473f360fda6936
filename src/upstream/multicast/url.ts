/** The address part of `/rtp/…` and `/udp/…` URLs, and the ports of their parity (multicast.md section 1). */

export interface MulticastUrl {
  /** IP literal without brackets, or a host name. */
  readonly group: string;
  /** 1…65535 */
  readonly port: number;
  readonly source?: string;
}

const DEFAULT_PORT = 1234;

/** Reads `[source[:port]@]group[:port][/]`, percent-decoded already; undefined when it cannot be. */
export function parseMulticastUrl(text: string): MulticastUrl | undefined {
  const address = text.endsWith("/") ? text.slice(0, -1) : text;
  const split = address.lastIndexOf("@");
  const group = parseHostPort(address.slice(split + 1));
  if (!group) return undefined;
  const port = group.port ?? DEFAULT_PORT;
  if (split < 0) return { group: group.host, port };
  // The source's port is accepted and means nothing for a join.
  const source = parseHostPort(address.slice(0, split));
  return source && { group: group.host, port, source: source.host };
}

/** Reads `PORT` or `PORT,PORT`; none when it is anything else. */
export function parsePorts(text: string): number[] {
  const ports = /^\d{1,5}(,\d{1,5})?$/.test(text) ? text.split(",").map(Number) : [];
  return ports.every((port) => port >= 1 && port <= 65535) ? [...new Set(ports)] : [];
}

/** `host`, `host:port` or `[IPv6]:port`; undefined for anything else. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const match = /^(?:\[([^[\]]+)\]|([^[\]:/]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const host = match[1] ?? match[2]!;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host, port };
}
