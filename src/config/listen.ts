/** Where to listen: the argument of `--listen`, a line of `[bind]` (config.md sections 6, 10 and 11). */

import { parseIpAddress } from "../wire/ip/address.ts";
import type { ListenAddress, TcpAddress } from "./settings.ts";
import type { Reading, ValueType } from "./values.ts";

const PORT_MAX = 65535;

export function isTcpAddress(address: ListenAddress): address is TcpAddress {
  return "port" in address;
}

export function tcpAddresses(addresses: readonly ListenAddress[]): TcpAddress[] {
  return addresses.filter(isTcpAddress);
}

export function unixPaths(addresses: readonly ListenAddress[]): string[] {
  return addresses.flatMap((address) => (isTcpAddress(address) ? [] : [address.path]));
}

/**
 * Reads one listen argument: `PORT`, `ADDRESS:PORT`, `[IPv6]:PORT`, `*:PORT` or `/PATH`. What cannot be listened on is
 * refused as fatal: without it we would listen on the default, which nobody has asked for.
 */
function readListenAddress(text: string): Reading<ListenAddress> {
  if (text.startsWith("/")) return readUnixPath(text, true);
  const refuse = (reason: string) => ({ refused: `Invalid listen address "${text}": ${reason}`, fatal: true });
  const colon = text.lastIndexOf(":");
  // Brackets before colons: the last colon of `[2001:db8::1]` belongs to the address.
  if (text.startsWith("[") && !text.includes("]:")) return refuse("write an IPv6 address as [ADDRESS]:PORT");

  const port = readPort(text.slice(colon + 1));
  if (port === undefined) return refuse(`the port must be a number from 0 to ${PORT_MAX}`);
  if (colon < 0) return { value: { host: undefined, port } };
  if (colon === 0) return refuse("the address is empty; write *:PORT for all addresses");
  const host = readHost(text.slice(0, colon));
  return "reason" in host ? refuse(host.reason) : { value: { host: host.name, port } };
}

/**
 * Reads one line of `[bind]`, `ADDRESS PORT` or `/PATH`. Nothing is fatal here.
 * @param servicePort finds the port of a service name, such as 80 for `http`
 */
export function readBindLine(line: string, servicePort: (name: string) => number | undefined): Reading<ListenAddress> {
  const refuse = (refused: string) => ({ refused, fatal: false });
  const [address = "", portText] = line.split(/[ \t\v\f\r]+/);
  if (address.startsWith("/")) {
    if (portText === undefined) return readUnixPath(address, false);
    return refuse(`Invalid Unix socket bind path (whitespace is not supported): ${line}`);
  }
  if (portText === undefined) {
    const meant = readListenAddress(address);
    const advice = "value" in meant ? `; write it as "${showBindLine(meant.value)}"` : "";
    return refuse(`Invalid TCP bind address line: missing port for ${address}${advice}`);
  }
  const host = readHost(address);
  if ("reason" in host) return refuse(`Invalid TCP bind address line: ${host.reason}`);
  const port = readPort(portText) ?? servicePort(portText);
  if (port === undefined) return refuse(`Invalid TCP bind address line: unknown port ${portText} for ${address}`);
  return { value: { host: host.name, port } };
}

/** The way `readListenAddress` would read it back. */
export function showListenAddress(address: ListenAddress): string {
  if (!isTcpAddress(address)) return address.path;
  const { host = "*", port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The way `readBindLine` would read it back. */
export function showBindLine(address: ListenAddress): string {
  return isTcpAddress(address) ? `${address.host ?? "*"} ${address.port}` : address.path;
}

/** Addresses to listen on; each use of the option adds one. */
export const listenAddresses: ValueType<readonly ListenAddress[]> = {
  read(text, _name, given = []) {
    const reading = readListenAddress(text);
    return "value" in reading ? { value: [...given, reading.value] } : reading;
  },
  show: (addresses) => addresses.map(showListenAddress).join(", "),
};

function readUnixPath(path: string, fatal: boolean): Reading<ListenAddress> {
  if (/[ \t\r\n\0]/.test(path)) return { refused: `Invalid Unix socket bind path: ${path}`, fatal };
  return { value: { path } };
}

/** A name, an IPv4 address, an IPv6 address with or without brackets, or `*` for all addresses. */
function readHost(text: string): { readonly name: string | undefined } | { readonly reason: string } {
  if (text === "*") return { name: undefined };
  const name = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (name !== text || name.includes(":")) {
    return parseIpAddress(name)?.family === 6 ? { name } : { reason: `${name} is not an IPv6 address` };
  }
  return /[\s/[\]*]/.test(name) ? { reason: `${name} is not a host name or address` } : { name };
}

function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : PORT_MAX + 1;
  return port <= PORT_MAX ? port : undefined;
}
