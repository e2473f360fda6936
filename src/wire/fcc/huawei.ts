/** FCC messages of the huawei dialect (fcc.md section 5). */
import type { IpAddress } from "../ip/address.ts";
import {
  emitFccHeader,
  emitTermination,
  FCC_HEADER_BYTES,
  fccFormat,
  groupOf,
  parseTermination,
  readIpv4,
  type Termination,
  viewOf,
} from "./packet.ts";

const REQUEST = 5;
const RESPONSE = 6;
const NOTICE = 8;
const TERMINATION = 9;
const REQUEST_BYTES = 32;
const LEAST_RESPONSE_BYTES = 16;
/** Without the fields for NAT traversal. */
const SHORT_RESPONSE_BYTES = 24;
const RESPONSE_BYTES = 36;
const STOP = { normal: 1, forced: 2 };
const REQUEST_MARK = 0x8000;
const ACCEPTS_REDIRECTS = 0x20000000;
const NAT_FLAG = 0x20;
const PUNCH_BYTES = 8;
const PUNCH_MARK = 0x00030000;

/** Values of `type`. */
export const HUAWEI_TYPE = { join: 1, unicast: 2, redirect: 3 } as const;

export interface HuaweiRequest {
  /** IPv4, as all addresses here. */
  readonly group: IpAddress;
  readonly client: IpAddress;
  /** Of the signalling socket; media go to the port before it. */
  readonly clientPort: number;
}

export interface HuaweiResponse {
  readonly group: IpAddress;
  /** 1: success. */
  readonly result: number;
  /** A `HUAWEI_TYPE`, or something unknown. */
  readonly type: number;
  readonly firstSequence: number;
  readonly rateKbit: number;
  /** What only a complete response says. */
  readonly route: HuaweiRoute | undefined;
}

export interface HuaweiRoute {
  readonly needsPunch: boolean;
  /** 0: unchanged. */
  readonly port: number;
  readonly session: number;
  /** 0.0.0.0: unchanged. */
  readonly server: IpAddress;
}

export function emitHuaweiRequest({ group, client, clientPort }: HuaweiRequest): Uint8Array {
  const packet = emitFccHeader(REQUEST, group, REQUEST_BYTES);
  const view = viewOf(packet);
  packet.set(client.bytes.subarray(0, 4), 20);
  view.setUint16(24, clientPort);
  view.setUint16(26, REQUEST_MARK);
  view.setUint32(28, ACCEPTS_REDIRECTS);
  return packet;
}

export function parseHuaweiRequest(packet: Uint8Array): HuaweiRequest | undefined {
  if (fccFormat(packet) !== REQUEST || packet.length < REQUEST_BYTES) return undefined;
  return { group: groupOf(packet), client: readIpv4(packet, 20), clientPort: viewOf(packet).getUint16(24) };
}

/** Without `route`, the short response. */
export function emitHuaweiResponse(response: HuaweiResponse): Uint8Array {
  const { route } = response;
  const packet = emitFccHeader(RESPONSE, response.group, route ? RESPONSE_BYTES : SHORT_RESPONSE_BYTES);
  const view = viewOf(packet);
  packet[12] = response.result;
  view.setUint16(14, response.type);
  view.setUint16(16, response.firstSequence);
  view.setUint16(20, response.rateKbit);
  if (!route) return packet;
  packet[24] = route.needsPunch ? NAT_FLAG : 0;
  view.setUint16(26, route.port);
  view.setUint32(28, route.session);
  packet.set(route.server.bytes.subarray(0, 4), 32);
  return packet;
}

/** Reads what is there: a response that is too short for its type has an unknown one, 0. */
export function parseHuaweiResponse(packet: Uint8Array): HuaweiResponse | undefined {
  if (fccFormat(packet) !== RESPONSE || packet.length < LEAST_RESPONSE_BYTES) return undefined;
  const view = viewOf(packet);
  const type = view.getUint16(14);
  const isLongEnough = packet.length >= leastBytes(type);
  const isShort = packet.length < SHORT_RESPONSE_BYTES;
  return {
    group: groupOf(packet),
    result: view.getUint8(12),
    type: isLongEnough ? type : 0,
    firstSequence: isShort ? 0 : view.getUint16(16),
    rateKbit: isShort ? 0 : view.getUint16(20),
    route: packet.length < RESPONSE_BYTES ? undefined : readRoute(packet, view),
  };
}

function leastBytes(type: number): number {
  if (type === HUAWEI_TYPE.unicast) return SHORT_RESPONSE_BYTES;
  return type === HUAWEI_TYPE.redirect ? RESPONSE_BYTES : LEAST_RESPONSE_BYTES;
}

function readRoute(packet: Uint8Array, view: DataView): HuaweiRoute {
  return {
    needsPunch: (packet[24]! & NAT_FLAG) !== 0,
    port: view.getUint16(26),
    session: view.getUint32(28),
    server: readIpv4(packet, 32),
  };
}

/** Opens the way for media through a NAT. It is no RTCP. */
export function emitHuaweiPunch(session: number): Uint8Array {
  const packet = new Uint8Array(PUNCH_BYTES);
  const view = viewOf(packet);
  view.setUint32(0, PUNCH_MARK);
  view.setUint32(4, session);
  return packet;
}

/** The session identifier. */
export function parseHuaweiPunch(packet: Uint8Array): number | undefined {
  if (packet.length !== PUNCH_BYTES) return undefined;
  const view = viewOf(packet);
  return view.getUint32(0) === PUNCH_MARK ? view.getUint32(4) : undefined;
}

export function emitHuaweiNotice(group: IpAddress): Uint8Array {
  return emitFccHeader(NOTICE, group, FCC_HEADER_BYTES);
}

export function isHuaweiNotice(packet: Uint8Array): boolean {
  return fccFormat(packet) === NOTICE;
}

export function emitHuaweiTermination(termination: Termination): Uint8Array {
  return emitTermination(termination, TERMINATION, STOP);
}

export function parseHuaweiTermination(packet: Uint8Array): Termination | undefined {
  return parseTermination(packet, TERMINATION, STOP);
}
