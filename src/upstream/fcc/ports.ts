/** Local UDP ports for FCC: one for telecom, two neighbours for huawei (fcc.md section 2). */
import { SystemCallError } from "../../system/socket.ts";
import { UdpSocket } from "../../system/udp-socket.ts";
import type { IpAddress } from "../../wire/ip/address.ts";

const EADDRINUSE = 98;
/** Where pairs are looked for without `fcc-listen-port-range`. */
const ANY_PAIR = { min: 10_000, max: 65_535 };
const ANY_ADDRESS: IpAddress = { family: 4, bytes: new Uint8Array(4) };

export interface FccPortOptions {
  /** `fcc-listen-port-range`, both ends included. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  readonly interfaceName: string | undefined;
  /** Kernel receive buffer to ask for, in bytes, for media. */
  readonly receiveBufferBytes: number;
}

export interface FccPorts {
  readonly media: UdpSocket;
  /** The same one where signalling has none of its own. */
  readonly signalling: UdpSocket;
}

/**
 * Begins anywhere in the range, so that a port that was used a moment ago rests.
 * @throws SystemCallError when sockets are refused, or when all ports are in use; Error where libc cannot be opened
 */
export function openFccPorts(isPair: boolean, options: FccPortOptions): FccPorts {
  const { range } = options;
  if (!isPair && !range) {
    const { interfaceName, receiveBufferBytes } = options;
    const media = new UdpSocket({ address: ANY_ADDRESS, interfaceName, receiveBufferBytes });
    return { media, signalling: media };
  }
  const { min, max } = range ?? ANY_PAIR;
  const count = max - min + (isPair ? 0 : 1);
  const start = Math.floor(performance.now()) % Math.max(1, count);
  for (let i = 0; i < count; i++) {
    const ports = openAt(min + ((start + i) % count), isPair, options);
    if (ports) return ports;
  }
  throw new SystemCallError(`no free ${isPair ? "pair of ports" : "port"} in ${min}-${max}`, EADDRINUSE);
}

/** Undefined when a port is in use. */
function openAt(port: number, isPair: boolean, options: FccPortOptions): FccPorts | undefined {
  const media = openFree(port, options);
  if (!media || !isPair) return media && { media, signalling: media };
  let signalling: UdpSocket | undefined;
  try {
    signalling = openFree(port + 1, options);
  } finally {
    if (!signalling) media.close();
  }
  return signalling && { media, signalling };
}

function openFree(port: number, { interfaceName, receiveBufferBytes }: FccPortOptions): UdpSocket | undefined {
  try {
    return new UdpSocket({ address: ANY_ADDRESS, port, interfaceName, receiveBufferBytes });
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EADDRINUSE) return undefined;
    throw error;
  }
}
