/** A UDP socket through Bun.udpSocket, for systems where libc cannot be opened. What the event loop brings waits here to be read. */
import { formatIpAddress, type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { interfaceAddress } from "./interfaces.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";
import type { Membership } from "./multicast.ts";
import { setBufferSize } from "./socket.ts";
import type { AddressedSink, DatagramSink, DatagramSocket, UdpSocketOptions } from "./udp-socket.ts";

/** Bun's undocumented flags: SO_REUSEADDR and SO_REUSEPORT. */
const REUSE_FLAGS = 16 | 4;
/** Datagrams that wait to be read; more are lost, as in a kernel buffer that is full. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Datagrams to send that wait for the socket to be open; more are lost. */
const MAX_EARLY_SENDS = 16;

/** In the second byte of an IPv6 group (RFC 4291 section 2.7). */
const LINK_LOCAL_SCOPE = 2;

const area = allocate(65536);

type Socket = Bun.udp.Socket<"buffer">;

/** With its other end: the sender, or the receiver. */
interface Datagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

type State =
  | { readonly name: "opening"; readonly toSend: Datagram[] }
  | { readonly name: "open"; readonly socket: Socket }
  | { readonly name: "failed"; readonly failure: Error }
  | { readonly name: "closed" };

export class EventedSocket implements DatagramSocket {
  readonly kind = "evented";
  receiveBuffer = 0;
  /** Nobody tells them. */
  readonly kernelDrops = 0;
  readonly #options: UdpSocketOptions;
  /** The only one that is heard, as Bun writes it. */
  readonly #source: string | undefined;
  #state: State = { name: "opening", toSend: [] };
  #waiting: Datagram[] = [];
  #waitingBytes = 0;
  #readError: Error | undefined;

  constructor(options: UdpSocketOptions) {
    this.#options = options;
    const source = options.membership?.source;
    this.#source = source && formatIpAddress({ family: source.family, bytes: source.bytes });
    this.#open().catch((failure: Error) => {
      if (this.#state.name === "opening") this.#state = { name: "failed", failure };
    });
  }

  get port(): number | undefined {
    return this.#state.name === "open" ? this.#state.socket.port : undefined;
  }

  get failure(): Error | undefined {
    return this.#state.name === "failed" ? this.#state.failure : undefined;
  }

  receive(sink: DatagramSink): number {
    if (this.#waiting.length === 0) return 0;
    const waiting = this.#takeWaiting();
    for (const { bytes } of waiting) {
      if (bytes.length === 0) continue;
      if (this.#state.name === "closed") break;
      area.bytes.set(bytes);
      sink.datagram(area, 0, bytes.length);
    }
    return waiting.length;
  }

  receiveFrom(sink: AddressedSink): number {
    const waiting = this.#takeWaiting();
    for (const { bytes, address, port } of waiting) {
      const from = parseIpAddress(address);
      if (bytes.length === 0 || !from) continue;
      if (this.#state.name === "closed") break;
      area.bytes.set(bytes);
      sink.datagram(area, 0, bytes.length, from, port);
    }
    return waiting.length;
  }

  #takeWaiting(): Datagram[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }

  send(bytes: Uint8Array, to: IpAddress, port: number): boolean {
    if (to.family !== this.#options.address.family) return false;
    const datagram = { bytes, address: formatIpAddress(to), port };
    if (this.#state.name === "open") return transmit(this.#state.socket, datagram);
    if (this.#state.name !== "opening" || this.#state.toSend.length === MAX_EARLY_SENDS) return false;
    this.#state.toSend.push({ ...datagram, bytes: new Uint8Array(bytes) });
    return true;
  }

  consumeReadError(): Error | undefined {
    const error = this.#readError;
    this.#readError = undefined;
    return error;
  }

  /** @throws Error when the interface has gone, or the system refuses */
  rejoin(): void {
    const { membership } = this.#options;
    if (this.#state.name !== "open" || !membership) return;
    changeMembership(this.#state.socket, membership, "drop");
    changeMembership(this.#state.socket, membership, "add");
  }

  close(): void {
    if (this.#state.name === "open") this.#state.socket.close();
    this.#state = { name: "closed" };
    this.#takeWaiting();
  }

  async #open(): Promise<void> {
    const { port = 0, isShared, membership, receiveBufferBytes } = this.#options;
    // `flags` is missing from Bun's types.
    const options: Bun.udp.SocketOptions<"buffer"> & { flags?: number } = {
      hostname: hostname(this.#options),
      port,
      ...(isShared && { flags: REUSE_FLAGS }),
      socket: {
        data: (_socket, bytes, fromPort, address) => this.#take({ bytes, address, port: fromPort }),
        // Without a handler an ICMP answer would end the process.
        error: (_socket, error) => {
          this.#readError = error;
        },
      },
    };
    const socket = await Bun.udpSocket(options);
    try {
      if (libc && receiveBufferBytes !== undefined) {
        this.receiveBuffer = setBufferSize((socket as Socket & { fd: number }).fd, "receive", receiveBufferBytes);
      }
      if (membership) changeMembership(socket, membership, "add");
      this.#opened(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #opened(socket: Socket): void {
    if (this.#state.name !== "opening") {
      socket.close();
      return;
    }
    const { toSend } = this.#state;
    this.#state = { name: "open", socket };
    for (const datagram of toSend) transmit(socket, datagram);
  }

  #take(datagram: Datagram): void {
    const { length } = datagram.bytes;
    // The kernel also brings what others have joined on other interfaces, whoever sends it.
    if (this.#source !== undefined && datagram.address.split("%", 1)[0] !== this.#source) return;
    if (this.#state.name === "closed" || this.#waitingBytes + length > MAX_WAITING_BYTES) return;
    this.#waitingBytes += length;
    this.#waiting.push(datagram);
  }
}

function transmit(socket: Socket, { bytes, address, port }: Datagram): boolean {
  try {
    return socket.send(bytes as Uint8Array<ArrayBuffer>, port, address);
  } catch {
    return false;
  }
}

function changeMembership(socket: Socket, membership: Membership, change: "add" | "drop"): void {
  const { group, source } = membership;
  const where = multicastInterface(membership);
  if (source) {
    const method = change === "add" ? "addSourceSpecificMembership" : "dropSourceSpecificMembership";
    socket[method](formatIpAddress(source), formatIpAddress(group), where);
  } else {
    socket[change === "add" ? "addMembership" : "dropMembership"](formatIpAddress(group), where);
  }
}

/** The address to bind to. A group of link-local scope needs its zone there, others may not have one. */
function hostname({ address, membership, interfaceName }: UdpSocketOptions): string {
  if (!membership) return formatIpAddress(address);
  const isLinkLocal = address.family === 6 && (address.bytes[1]! & 0x0f) === LINK_LOCAL_SCOPE;
  const text = formatIpAddress({ family: address.family, bytes: address.bytes });
  return isLinkLocal && interfaceName !== undefined ? `${text}%${interfaceName}` : text;
}

/** What Bun wants for an interface: IPv4 its address (a name is silently ignored), IPv6 `::%name`. Unknown names it ignores. */
function multicastInterface({ interfaceName, group }: Membership): string | undefined {
  if (interfaceName === undefined) return undefined;
  const address = interfaceAddress(interfaceName, group.family);
  if (address === undefined) throw new Error(`interface ${interfaceName} has no IPv${group.family} address`);
  return group.family === 4 ? address : `::%${interfaceName}`;
}
