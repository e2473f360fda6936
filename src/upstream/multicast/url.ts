/** The address part of `/rtp/…` and `/udp/…` URLs, and the ports of their parity (multicast.md section 1). */
import { asByteString, type ByteString } from "../../wire/text/byte-string.ts";
import { percentDecode } from "../../wire/url/percent.ts";

export interface MulticastUrl {
  /** IP literal without brackets, or a host name. */
  readonly group: string;
  /** 1…65535 */
  readonly port: number;
  readonly source?: string;
}

const DEFAULT_PORT = 1234;
/** udpxy's, for set-top boxes that cannot have a colon in a path. A host name may hold some of them. */
const UDPXY_SEPARATOR = /^((?:\d{1,3}\.){3}\d{1,3})[~+^%-](?=\d)/;
/** With a port of three digits at least: shorter, it is a broken escape. */
const RAW_PERCENT = /((?:^|@)(?:\d{1,3}\.){3}\d{1,3})%(?=\d{3,5}(?:[/.]|$))/;
/** So that the name ends like a file's. */
const EXTENSION = /^\.[A-Za-z][A-Za-z0-9]*$/;
const PORT_AND_TAIL = /^:(0{0,10}\d{1,5})?(.*)$/s;

/**
 * Reads `[[source[:port]]@]group[:port]`; undefined when it cannot be. A fragment, and a name behind the port, mean nothing.
 * @param raw before percent-decoding: udpxy's `%` in the place of the colon is no escape
 */
export function parseMulticastUrl(raw: ByteString): MulticastUrl | undefined {
  const [text] = raw.split("#", 1);
  const decoded = percentDecode(asByteString(text!.replace(RAW_PERCENT, "$1:")));
  return decoded === undefined ? undefined : parseAddress(decoded);
}

function parseAddress(text: string): MulticastUrl | undefined {
  const slash = text.indexOf("/");
  const split = text.slice(0, slash < 0 ? text.length : slash).lastIndexOf("@");
  const group = parseGroup(text.slice(split + 1).replace(UDPXY_SEPARATOR, "$1:"));
  // `@` alone says that it is a group, as VLC writes it.
  if (!group || split <= 0) return group;
  // The source's port is accepted and means nothing for a join.
  const source = parseHostPort(text.slice(0, split));
  return source && { ...group, source: source.host };
}

/** `host[/]`, or `host:port` with whatever name behind it. */
function parseGroup(text: string): MulticastUrl | undefined {
  const end = text.startsWith("[") ? text.indexOf("]") + 1 : text.search(/[:/]|$/);
  const host = parseHostPort(text.slice(0, end))?.host;
  if (host === undefined) return undefined;
  const rest = text.slice(end);
  if (rest === "" || rest === "/") return { group: host, port: DEFAULT_PORT };
  const [, digits, tail = ""] = PORT_AND_TAIL.exec(rest) ?? [];
  const port = Number(digits);
  const isName = tail === "" || tail.startsWith("/") || EXTENSION.test(tail);
  return isName && port >= 1 && port <= 65535 ? { group: host, port } : undefined;
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
