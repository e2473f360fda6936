/** The argument of `--listen`: `PORT`, `ADDRESS:PORT`, `[IPv6]:PORT` or `*:PORT` (config.md section 10). */

import { isIPv6 } from "node:net";
import type { ListenAddress } from "./settings.ts";
import type { Reading } from "./values.ts";

const PORT_MAX = 65535;

/** Reads one listen argument. What cannot be listened on is refused as fatal: no worker could ever serve there. */
export function readListenAddress(text: string): Reading<ListenAddress> {
  if (text.startsWith("/")) return refuse(text, "Unix sockets are not supported yet");
  const colon = text.lastIndexOf(":");
  // Brackets before colons: the last colon of `[2001:db8::1]` belongs to the address.
  if (text.startsWith("[") && !text.includes("]:")) return refuse(text, "write an IPv6 address as [ADDRESS]:PORT");

  const port = readPort(text.slice(colon + 1));
  if (port === undefined) return refuse(text, `the port must be a number from 0 to ${PORT_MAX}`);
  if (colon < 0) return { value: { host: undefined, port } };

  const host = text.slice(0, colon);
  if (host === "*") return { value: { host: undefined, port } };
  if (host === "") return refuse(text, "the address is empty; write *:PORT for all addresses");
  const address = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (address !== host || address.includes(":")) {
    if (!isIPv6(address)) return refuse(text, `${address} is not an IPv6 address`);
  } else if (/[\s/[\]*]/.test(address)) return refuse(text, `${address} is not a host name or address`);
  return { value: { host: address, port } };
}

/** The way `readListenAddress` would read it back. */
export function showListenAddress({ host, port }: ListenAddress): string {
  if (host === undefined) return `*:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : PORT_MAX + 1;
  return port <= PORT_MAX ? port : undefined;
}

function refuse(text: string, reason: string): Reading<never> {
  return { refused: `Invalid listen address "${text}": ${reason}`, fatal: true };
}
