/** `struct sockaddr_in` and `sockaddr_in6` as bytes (Linux). */
import type { IpAddress } from "../wire/ip/address.ts";

export const AF_INET = 2;
const AF_INET6 = 10;
const SOCKADDR_IN_BYTES = 16;
/** The largest that we make or ask for. */
export const SOCKADDR_IN6_BYTES = 28;

export function addressFamily(address: IpAddress): number {
  return address.family === 4 ? AF_INET : AF_INET6;
}

/** @param scope interface index of a link-local IPv6 address, else 0 */
export function socketAddress(address: IpAddress, port: number, scope = 0): Uint8Array {
  const isV4 = address.family === 4;
  const bytes = new Uint8Array(isV4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, addressFamily(address), true);
  view.setUint16(2, port);
  bytes.set(address.bytes, isV4 ? 4 : 8);
  if (!isV4) view.setUint32(24, scope, true);
  return bytes;
}

/** What `socketAddress` has made, or the kernel: anything but AF_INET is read as AF_INET6. The scope becomes the zone. */
export function readSocketAddress(bytes: Uint8Array, offset = 0): { address: IpAddress; port: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const port = view.getUint16(2);
  if (view.getUint16(0, true) === AF_INET) {
    return { address: { family: 4, bytes: bytes.slice(offset + 4, offset + 8) }, port };
  }
  const scope = view.getUint32(24, true);
  const address = { family: 6, bytes: bytes.slice(offset + 8, offset + 24) } as const;
  return { address: scope === 0 ? address : { ...address, zone: String(scope) }, port };
}
