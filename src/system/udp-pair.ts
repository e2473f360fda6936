/** Two neighbouring UDP ports for RTP and RTCP, the even one first (RFC 3550 section 11; rtsp.md section 5.4). */
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { SystemCallError } from "./socket.ts";
import { type DatagramSink, UdpSocket, type UdpSocketOptions } from "./udp-socket.ts";

const FIRST_PORT = 10_000;
const PAIRS = 5000;
const EADDRINUSE = 98;

interface UdpPairOptions {
  /** One of our own, or a wildcard. */
  readonly address: IpAddress;
  /** Kernel receive buffer to ask for, in bytes, for media. */
  readonly receiveBufferBytes: number;
  readonly interfaceName: string | undefined;
}

export class UdpPair {
  /** On an even port, 10000 to 19998. */
  readonly media: UdpSocket;
  /** On the next port, for RTCP. */
  readonly control: UdpSocket;

  /** @throws SystemCallError when sockets are refused, or when all pairs are in use */
  constructor(options: UdpPairOptions) {
    [this.media, this.control] = openAnyPair(options);
  }

  /** Of the media socket. */
  get port(): number {
    return this.media.port;
  }

  get family(): 4 | 6 {
    return this.media.family;
  }

  /** Reads what came to the RTCP port. */
  receiveControl(sink: DatagramSink): void {
    this.control.receive(sink);
    this.control.consumeReadError();
  }

  /** Harmless when repeated. */
  close(): void {
    this.media.close();
    this.control.close();
  }
}

/** Begins anywhere, so that sessions seldom try the same pairs. */
function openAnyPair({ address, interfaceName, receiveBufferBytes }: UdpPairOptions): [UdpSocket, UdpSocket] {
  const start = Math.floor(Math.random() * PAIRS);
  for (let i = 0; i < PAIRS; i++) {
    const port = FIRST_PORT + ((start + i) % PAIRS) * 2;
    const media = openFree({ address, port, interfaceName, receiveBufferBytes });
    if (!media) continue;
    const control = openNeighbour(media, { address, port: port + 1, interfaceName });
    if (control) return [media, control];
  }
  throw new SystemCallError(`no pair of free ports on ${formatIpAddress(address)}`, EADDRINUSE);
}

/** Closes `media` unless there is one. */
function openNeighbour(media: UdpSocket, options: UdpSocketOptions): UdpSocket | undefined {
  let control: UdpSocket | undefined;
  try {
    control = openFree(options);
  } finally {
    if (!control) media.close();
  }
  return control;
}

/** Undefined when the port is in use. */
function openFree(options: UdpSocketOptions): UdpSocket | undefined {
  try {
    return new UdpSocket(options);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EADDRINUSE) return undefined;
    throw error;
  }
}
