/** Network interfaces: index by name, and an address by name. */
import { networkInterfaces } from "node:os";
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { errno, libc } from "./libc.ts";
import { SystemCallError } from "./socket.ts";

/** Longest interface name, in bytes (IFNAMSIZ without its end mark). */
export const MAX_INTERFACE_NAME = 15;

const ENODEV = 19;
const EMFILE = 24;

/**
 * Index of an interface, 1 or more; undefined when it does not exist (now) or libc cannot be opened.
 * @throws SystemCallError when there is no file descriptor left to ask with
 */
export function interfaceIndex(name: string): number | undefined {
  if (!libc || name.length === 0 || Buffer.byteLength(name) > MAX_INTERFACE_NAME) return undefined;
  const index = libc.if_nametoindex(Buffer.from(`${name}\0`));
  if (index > 0) return index;
  // Without a descriptor for its question the C library leaves whatever number its last try has left.
  if (errno(libc) === ENODEV) return undefined;
  throw new SystemCallError("if_nametoindex", EMFILE);
}

/** Index of the interface that an IPv6 zone names, by its name or its number (RFC 4007 section 11.2); undefined as above. */
export function zoneIndex(zone: string): number | undefined {
  return interfaceIndex(zone) ?? (/^[1-9]\d{0,8}$/.test(zone) ? Number(zone) : undefined);
}

/** What a `sockaddr_in6` needs to know of a link-local address: the index of its interface; 0 for any other address. */
export function scopeOf({ zone }: IpAddress): number {
  return zone === undefined ? 0 : (zoneIndex(zone) ?? 0);
}

/** An address of the interface; undefined when it has none of that family. */
export function interfaceAddress(name: string, family: 4 | 6): string | undefined {
  const addresses = Object.entries(networkInterfaces()).find(([known]) => known === name)?.[1];
  return addresses?.find((a) => a.family === `IPv${family}`)?.address;
}

/** Whether an address leads to this machine. */
export function isOwnAddress(address: IpAddress): boolean {
  const { family, bytes } = address;
  const text = formatIpAddress({ family, bytes });
  if (text === "0.0.0.0" || text === "::" || text === "::1" || (family === 4 && bytes[0] === 127)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((a) => a.address === text));
}
