/** Which address of this machine stands in links for clients that name no host (m3u.md section 7). */
import { type IpAddress, parseIpAddress } from "../wire/ip/address.ts";

interface InterfaceAddress {
  readonly interfaceName: string;
  readonly address: string;
}

const NO_ADDRESS = "localhost";
/** Bridges and tunnels of containers and virtual machines: nobody in the house is there. */
const VIRTUAL = /^(docker|br-[0-9a-f]{12}$|veth|virbr|lxc|lxd|podman|cni|flannel)/;
/** 10/8, 172.16/12, 192.168/16, 100.64/10 and 169.254/16: a home network's. */
const PRIVATE = /^(10|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|169\.254)\./;

/**
 * The addresses that clients may reach, the most likely first: private before others, IPv4 before IPv6, and those of interfaces that
 * lead to upstreams, or to containers, after each.
 */
export function ownAddresses(all: readonly InterfaceAddress[], upstreamInterfaces: readonly string[]): string[] {
  const ranked = all.map(({ interfaceName, address }) => ({
    address,
    rank: rank(address, upstreamInterfaces.includes(interfaceName), VIRTUAL.test(interfaceName)),
  }));
  const usable = ranked.filter((candidate) => candidate.rank !== undefined);
  return usable.toSorted((a, b) => a.rank! - b.rank!).map(({ address }) => address);
}

/** The first of them; `localhost` when there is none. */
export function ownAddress(all: readonly InterfaceAddress[], upstreamInterfaces: readonly string[]): string {
  return ownAddresses(all, upstreamInterfaces)[0] ?? NO_ADDRESS;
}

/** Small is good; undefined is of no use. */
function rank(text: string, isUpstream: boolean, isVirtual: boolean): number | undefined {
  const address = parseIpAddress(text);
  if (!address || isLocalOnly(address)) return undefined;
  if (address.family === 6) return isVirtual ? 6 : isUpstream ? 5 : 4;
  if (isVirtual) return 3;
  if (isUpstream) return 2;
  return PRIVATE.test(text) ? 0 : 1;
}

/** Loopback, and link-local IPv6, which needs a zone. */
function isLocalOnly({ family, bytes }: IpAddress): boolean {
  if (family === 4) return bytes[0] === 127;
  const isLoopback = bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
  return isLoopback || (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80);
}
