/** Host and port in a URL, `host`, `host:port` or `[IPv6]:port` (RFC 3986 section 3.2; http-proxy.md section 1). */
import { parseIpAddress } from "../ip/address.ts";

const PORT_MAX = 65535;

/** What a resolver takes. It leaves out `@`: credentials in a URL are not supported. */
const NAME_AND_PORT = /^([A-Za-z0-9._-]+)(?::(\d*))?$/;
const BRACKETED_AND_PORT = /^\[([^\]]+)\](?::(\d*))?$/;
/** RFC 1035 section 2.3.4. */
const MAX_NAME_BYTES = 255;
/** Also names in UTF-8, percent-encoded ones, and zones of link-local addresses: clients send them, and they harm nobody. */
const WRITTEN_HOST = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.~%-]+)?)\]|([\w.~%\x80-\xff-]+))(?::\d{0,5})?$/;
const TWO_COLONS = /:.*:/s;

export interface Authority {
  /** In its spelling; an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535; undefined when it is missing or empty. */
  readonly port: number | undefined;
}

/** A bare text with two colons is an IPv6 address without port. Undefined for what cannot be connected to. */
export function parseAuthority(text: string): Authority | undefined {
  if (text.startsWith("[")) {
    const [, host, port] = BRACKETED_AND_PORT.exec(text) ?? [];
    return host !== undefined && isIpv6(host) ? withPort(host, port) : undefined;
  }
  if (TWO_COLONS.test(text)) return isIpv6(text) ? { host: text, port: undefined } : undefined;
  const [, host, port] = NAME_AND_PORT.exec(text) ?? [];
  return host === undefined || host.length > MAX_NAME_BYTES ? undefined : withPort(host, port);
}

/**
 * Whether a client may call us that: what stands in `Host` is written into each line of a playlist, so it must be short, and no
 * more than a host. Forgiving otherwise: whether it can be connected to is for the client to know.
 * @param text byte string
 */
export function isWrittenHost(text: string): boolean {
  const [, bracketed, name = bracketed] = WRITTEN_HOST.exec(text) ?? [];
  return name === undefined ? isIpv6(text) : name.length <= MAX_NAME_BYTES;
}

/** The way `parseAuthority` would read it back. */
export function formatAuthority({ host, port }: Authority): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

function withPort(host: string, digits: string | undefined): Authority | undefined {
  if (!digits) return { host, port: undefined };
  const port = Number(digits);
  return port >= 1 && port <= PORT_MAX ? { host, port } : undefined;
}

/** A zone is refused: it means nothing to the upstream that gets it as `Host`; an interface can be chosen otherwise. */
function isIpv6(text: string): boolean {
  const address = parseIpAddress(text);
  return address?.family === 6 && address.zone === undefined;
}
