/** FCC messages of the telecom dialect: Telecom, ZTE and Fiberhome platforms (fcc.md section 4). */
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

const REQUEST = 2;
const RESPONSE = 3;
const NOTICE = 4;
const TERMINATION = 5;
const REQUEST_BYTES = 40;
const RESPONSE_BYTES = 36;
const STOP = { normal: 0, forced: 1 };

/** Values of `action`. Some servers say 0 for 1. */
export const TELECOM_ACTION = { joinAlso: 0, join: 1, unicast: 2, redirect: 3 } as const;

export interface TelecomRequest {
  /** IPv4, as all addresses here. */
  readonly group: IpAddress;
  readonly groupPort: number;
  readonly clientPort: number;
}

export interface TelecomResponse {
  readonly group: IpAddress;
  /** 0: success. */
  readonly result: number;
  /** A `TELECOM_ACTION`, or something unknown. */
  readonly action: number;
  /** 0: unchanged. */
  readonly signallingPort: number;
  /** 0: not given. */
  readonly mediaPort: number;
  /** 0.0.0.0: unchanged. */
  readonly server: IpAddress;
  readonly validityS: number;
  /** Bit/s, of the burst and after the synchronisation. */
  readonly burstRate: number;
  readonly steadyRate: number;
}

export function emitTelecomRequest({ group, groupPort, clientPort }: TelecomRequest): Uint8Array {
  const packet = emitFccHeader(REQUEST, group, REQUEST_BYTES);
  const view = viewOf(packet);
  view.setUint16(16, clientPort);
  view.setUint16(18, groupPort);
  packet.set(group.bytes.subarray(0, 4), 20);
  return packet;
}

export function parseTelecomRequest(packet: Uint8Array): TelecomRequest | undefined {
  if (fccFormat(packet) !== REQUEST || packet.length < REQUEST_BYTES) return undefined;
  const view = viewOf(packet);
  return { group: readIpv4(packet, 20), groupPort: view.getUint16(18), clientPort: view.getUint16(16) };
}

export function emitTelecomResponse(response: TelecomResponse): Uint8Array {
  const packet = emitFccHeader(RESPONSE, response.group, RESPONSE_BYTES);
  const view = viewOf(packet);
  packet[12] = response.result;
  packet[13] = response.action;
  view.setUint16(14, response.signallingPort);
  view.setUint16(16, response.mediaPort);
  packet.set(response.server.bytes.subarray(0, 4), 20);
  view.setUint32(24, response.validityS);
  view.setUint32(28, response.burstRate);
  view.setUint32(32, response.steadyRate);
  return packet;
}

/** What servers append is ignored; an answer that is too short is none. */
export function parseTelecomResponse(packet: Uint8Array): TelecomResponse | undefined {
  if (fccFormat(packet) !== RESPONSE || packet.length < RESPONSE_BYTES) return undefined;
  const view = viewOf(packet);
  return {
    group: groupOf(packet),
    result: view.getUint8(12),
    action: view.getUint8(13),
    signallingPort: view.getUint16(14),
    mediaPort: view.getUint16(16),
    server: readIpv4(packet, 20),
    validityS: view.getUint32(24),
    burstRate: view.getUint32(28),
    steadyRate: view.getUint32(32),
  };
}

export function emitTelecomNotice(group: IpAddress): Uint8Array {
  return emitFccHeader(NOTICE, group, FCC_HEADER_BYTES);
}

export function isTelecomNotice(packet: Uint8Array): boolean {
  return fccFormat(packet) === NOTICE;
}

export function emitTelecomTermination(termination: Termination): Uint8Array {
  return emitTermination(termination, TERMINATION, STOP);
}

export function parseTelecomTermination(packet: Uint8Array): Termination | undefined {
  return parseTermination(packet, TERMINATION, STOP);
}
