/** Two neighbouring UDP ports for RTP and RTCP, the even one first (RFC 3550 section 11; rtsp.md section 5.4). */
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { BatchReader } from "./batch-reader.ts";
import type { DatagramSink } from "./datagram-receiver.ts";
import { bindToDevice } from "./multicast.ts";
import { bindSocket, closeSocket, openSocket, SOCK_DGRAM, SystemCallError, sendTo, setBufferSize } from "./socket.ts";
import { addressFamily, socketAddress } from "./socket-address.ts";

const FIRST_PORT = 10_000;
const PAIRS = 5000;
const EADDRINUSE = 98;

const DISCARD: DatagramSink = { datagram() {} };

export interface UdpPairOptions {
  /** One of our own, or a wildcard. */
  readonly address: IpAddress;
  /** Kernel receive buffer to ask for, in bytes, for media. */
  readonly receiveBufferBytes: number;
  readonly interfaceName: string | undefined;
}

export class UdpPair {
  /** Even, 10000 to 19998; RTCP has the next one. */
  readonly port: number;
  readonly family: 4 | 6;
  /** Of the media socket, as the kernel counts it. */
  readonly receiveBuffer: number;
  readonly #fds: readonly [media: number, control: number];
  readonly #media: BatchReader;
  readonly #control: BatchReader;
  #isClosed = false;

  /** @throws SystemCallError when sockets are refused, or when all pairs are in use */
  constructor({ address, receiveBufferBytes, interfaceName }: UdpPairOptions) {
    this.family = address.family;
    const { port, fds } = openAnyPair(address, interfaceName);
    this.port = port;
    this.#fds = fds;
    this.receiveBuffer = setBufferSize(fds[0], "receive", receiveBufferBytes);
    this.#media = new BatchReader(fds[0]);
    this.#control = new BatchReader(fds[1]);
  }

  /** Hands over all media that has arrived; answers how many datagrams there were. */
  receive(sink: DatagramSink): number {
    return this.#media.receive(sink);
  }

  /** Reads and forgets what came to the RTCP port. */
  drainControl(): void {
    this.#control.receive(DISCARD);
    this.#control.consumeReadError();
  }

  /** Why a reading of media ended early, once. */
  consumeReadError(): Error | undefined {
    return this.#media.consumeReadError();
  }

  /** Sends from one of the two ports; what cannot be sent is lost, as datagrams may be. */
  send(from: "media" | "control", bytes: Uint8Array, to: IpAddress, port: number): void {
    if (this.#isClosed || to.family !== this.family) return;
    try {
      sendTo(this.#fds[from === "media" ? 0 : 1], bytes, socketAddress(to, port));
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#media.close();
    this.#control.close();
  }
}

/** Begins anywhere, so that sessions seldom try the same pairs. */
function openAnyPair(address: IpAddress, interfaceName: string | undefined): { port: number; fds: [number, number] } {
  const start = Math.floor(Math.random() * PAIRS);
  for (let i = 0; i < PAIRS; i++) {
    const port = FIRST_PORT + ((start + i) % PAIRS) * 2;
    const fds = openPair(address, port, interfaceName);
    if (fds) return { port, fds };
  }
  throw new SystemCallError(`no pair of free ports on ${formatIpAddress(address)}`, EADDRINUSE);
}

function openPair(address: IpAddress, port: number, interfaceName: string | undefined): [number, number] | undefined {
  const media = openBound(address, port, interfaceName);
  if (media === undefined) return undefined;
  let control: number | undefined;
  try {
    control = openBound(address, port + 1, interfaceName);
  } finally {
    if (control === undefined) closeSocket(media);
  }
  return control === undefined ? undefined : [media, control];
}

/** Undefined when the port is in use. */
function openBound(address: IpAddress, port: number, interfaceName: string | undefined): number | undefined {
  const fd = openSocket(addressFamily(address), SOCK_DGRAM);
  try {
    if (interfaceName !== undefined) bindToDevice(fd, interfaceName);
    bindSocket(fd, socketAddress(address, port));
    return fd;
  } catch (error) {
    closeSocket(fd);
    if (error instanceof SystemCallError && error.errno === EADDRINUSE) return undefined;
    throw error;
  }
}
