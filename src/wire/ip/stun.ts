/** STUN binding requests and responses (RFC 8489 sections 5 and 14; rtsp.md section 8). */
import type { IpAddress } from "./address.ts";

export const STUN_TRANSACTION_ID_BYTES = 12;

const HEADER_BYTES = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_RESPONSE = 0x0101;
const MAGIC_COOKIE = 0x2112a442;
const COOKIE_OFFSET = 4;
const MAPPED_ADDRESS = 0x0001;
const XOR_MAPPED_ADDRESS = 0x0020;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** How a server outside sees our socket. */
export interface MappedAddress {
  readonly address: IpAddress;
  /** 1 to 65535. */
  readonly port: number;
}

/** @param transactionId 12 bytes that nobody can guess */
export function emitBindingRequest(transactionId: Uint8Array): Uint8Array {
  const request = new Uint8Array(HEADER_BYTES);
  const view = new DataView(request.buffer);
  view.setUint16(0, BINDING_REQUEST);
  view.setUint32(COOKIE_OFFSET, MAGIC_COOKIE);
  request.set(transactionId.subarray(0, STUN_TRANSACTION_ID_BYTES), HEADER_BYTES - STUN_TRANSACTION_ID_BYTES);
  return request;
}

/** Whether a datagram on the media socket may be STUN. RTP and MPEG-TS do not begin with two zero bits. */
export function isStun(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= HEADER_BYTES && bytes[offset]! >> 6 === 0;
}

/**
 * Reads the response to one of the outstanding requests; undefined when it is none, malformed, or without an address. The
 * obfuscated address counts before the plain one, which some NATs rewrite on its way.
 */
export function parseBindingResponse(
  datagram: Uint8Array,
  outstanding: readonly Uint8Array[],
): MappedAddress | undefined {
  if (datagram.length < HEADER_BYTES) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  if (view.getUint16(0) !== BINDING_RESPONSE || view.getUint32(COOKIE_OFFSET) !== MAGIC_COOKIE) return undefined;
  const id = datagram.subarray(HEADER_BYTES - STUN_TRANSACTION_ID_BYTES, HEADER_BYTES);
  if (!outstanding.some((wanted) => Buffer.compare(wanted, id) === 0)) return undefined;
  const end = HEADER_BYTES + view.getUint16(2);
  return end <= datagram.length ? findAddress(view, end) : undefined;
}

function findAddress(view: DataView, end: number): MappedAddress | undefined {
  let xored: MappedAddress | undefined;
  let plain: MappedAddress | undefined;
  for (let at = HEADER_BYTES; at + 4 <= end; ) {
    const type = view.getUint16(at);
    const length = view.getUint16(at + 2);
    const value = at + 4;
    if (value + length > end) return undefined;
    if (type === XOR_MAPPED_ADDRESS) xored ??= readAddress(view, value, length, true);
    if (type === MAPPED_ADDRESS) plain ??= readAddress(view, value, length, false);
    at = value + Math.ceil(length / 4) * 4;
  }
  return xored ?? plain;
}

function readAddress(view: DataView, at: number, length: number, isXored: boolean): MappedAddress | undefined {
  if (length < 4) return undefined;
  const family = view.getUint8(at + 1);
  const size = family === FAMILY_IPV4 ? 4 : family === FAMILY_IPV6 ? 16 : undefined;
  if (size === undefined || length < 4 + size) return undefined;
  const port = view.getUint16(at + 2) ^ (isXored ? MAGIC_COOKIE >>> 16 : 0);
  // The cookie and the transaction id lie side by side in the header, as the mask of an IPv6 address needs them.
  const bytes = Uint8Array.from({ length: size }, (_, i) => {
    return view.getUint8(at + 4 + i) ^ (isXored ? view.getUint8(COOKIE_OFFSET + i) : 0);
  });
  return port === 0 ? undefined : { address: { family: size === 4 ? 4 : 6, bytes }, port };
}
