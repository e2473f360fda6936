/** Network interfaces: index by name, an address by name, and their names for who has named another. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { errno, libc } from "./libc.ts";
import { SystemCallError } from "./socket.ts";

/** Longest interface name, in bytes (IFNAMSIZ without its end mark). */
export const MAX_INTERFACE_NAME = 15;

const LOOPBACK = "lo";
/** A machine with containers has hundreds. */
const MAX_NAMES_TOLD = 20;
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

/** Whether there is such an interface (now). */
export function hasInterface(name: string): boolean {
  try {
    return libc ? interfaceIndex(name) !== undefined : interfaceNames().includes(name);
  } catch {
    return interfaceNames().includes(name);
  }
}

const IFF_UP = 1;

/** False also when that cannot be found out. */
export function isInterfaceDown(name: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${name}/flags`, "latin1")) & IFF_UP) === 0;
  } catch {
    return false;
  }
}

/** All of them, also those that are down; loopback last. */
function interfaceNames(): string[] {
  const names = readInterfaceNames();
  return [...names.filter((name) => name !== LOOPBACK), ...names.filter((name) => name === LOOPBACK)];
}

/** Not from /sys, which may show those of another network namespace. */
function readInterfaceNames(): string[] {
  try {
    const lines = readFileSync("/proc/net/dev", "latin1").split("\n");
    return lines.flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []);
  } catch {
    return Object.keys(networkInterfaces());
  }
}

/** For who has named one that does not exist: `there are eth0 (192.0.2.2), wlan0, lo (127.0.0.1)`. */
export function existingInterfaces(): string {
  const names = interfaceNames();
  const told = names.slice(0, MAX_NAMES_TOLD).map((name) => {
    const address = interfaceAddress(name, 4) ?? interfaceAddress(name, 6);
    return address === undefined ? name : `${name} (${address})`;
  });
  if (names.length > told.length) told.push("...");
  return told.length === 0 ? "there is none" : `there ${told.length === 1 ? "is" : "are"} ${told.join(", ")}`;
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
