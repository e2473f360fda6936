/** Addresses of a host name, without making anybody else wait. */
import { lookup } from "node:dns/promises";
import { type IpAddress, parseIpAddress } from "../wire/ip/address.ts";

/**
 * All addresses in the resolver's order; an address is its own. It has no time limit of its own.
 * @throws Error when the name is unknown or the resolver fails
 */
export async function resolveHost(host: string): Promise<IpAddress[]> {
  const literal = parseIpAddress(host);
  if (literal) return [unmapped(literal)];
  const found = await lookup(host, { all: true });
  return found
    .map(({ address }) => parseIpAddress(address))
    .filter((address) => address !== undefined)
    .map(unmapped);
}

/** `::ffff:127.0.0.1` leads where 127.0.0.1 does (RFC 4291 section 2.5.5.2). */
function unmapped(address: IpAddress): IpAddress {
  const { family, bytes } = address;
  const isMapped = family === 6 && bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return isMapped ? { family: 4, bytes: bytes.subarray(12) } : address;
}
