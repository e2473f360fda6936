/** Receives multicast through Bun.udpSocket, for systems where libc cannot be opened. Datagrams wait for the tick here. */
import { formatIpAddress } from "../wire/ip/address.ts";
import type { DatagramReceiver, DatagramSink } from "./datagram-receiver.ts";
import { interfaceAddress } from "./interfaces.ts";
import { libc } from "./libc.ts";
import { allocate } from "./memory.ts";
import type { Membership } from "./multicast.ts";
import { setBufferSize } from "./socket.ts";

/** Bun's undocumented flags: SO_REUSEADDR and SO_REUSEPORT. */
const REUSE_FLAGS = 16 | 4;
/** Datagrams that wait for the next tick; more are lost, as in a kernel buffer that is full. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** In the second byte of an IPv6 group (RFC 4291 section 2.7). */
const LINK_LOCAL_SCOPE = 2;

const area = allocate(65536);

type UdpSocket = Bun.udp.Socket<"buffer">;

export class EventedReceiver implements DatagramReceiver {
  readonly kind = "evented";
  receiveBuffer = 0;
  failure: Error | undefined;
  readonly #membership: Membership;
  #socket: UdpSocket | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #readError: Error | undefined;
  #isClosed = false;

  constructor(membership: Membership, receiveBufferBytes: number) {
    this.#membership = membership;
    this.#open(receiveBufferBytes).catch((error: Error) => {
      this.failure = error;
    });
  }

  receive(sink: DatagramSink): number {
    const waiting = this.#waiting;
    if (waiting.length === 0) return 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const datagram of waiting) {
      if (datagram.length === 0) continue;
      area.bytes.set(datagram);
      sink.datagram(area, 0, datagram.length);
    }
    return waiting.length;
  }

  consumeReadError(): Error | undefined {
    const error = this.#readError;
    this.#readError = undefined;
    return error;
  }

  rejoin(): void {
    if (!this.#socket) return;
    this.#change(this.#socket, "drop");
    this.#change(this.#socket, "add");
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #open(receiveBufferBytes: number): Promise<void> {
    const { port } = this.#membership;
    // `flags` is missing from Bun's types.
    const options: Bun.udp.SocketOptions<"buffer"> & { flags: number } = {
      hostname: this.#hostname(),
      port,
      flags: REUSE_FLAGS,
      socket: {
        data: (_socket, datagram) => this.#take(datagram),
        // Without a handler an ICMP answer would end the process.
        error: (_socket, error) => {
          this.#readError = error;
        },
      },
    };
    const socket = await Bun.udpSocket(options);
    try {
      if (this.#isClosed) throw new Error("closed");
      if (libc)
        this.receiveBuffer = setBufferSize((socket as UdpSocket & { fd: number }).fd, "receive", receiveBufferBytes);
      this.#change(socket, "add");
      this.#socket = socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #take(datagram: Uint8Array): void {
    if (this.#waitingBytes + datagram.length > MAX_WAITING_BYTES) return;
    this.#waitingBytes += datagram.length;
    this.#waiting.push(datagram);
  }

  #change(socket: UdpSocket, change: "add" | "drop"): void {
    const { group, source } = this.#membership;
    const where = this.#interface();
    if (source) {
      const method = change === "add" ? "addSourceSpecificMembership" : "dropSourceSpecificMembership";
      socket[method](formatIpAddress(source), formatIpAddress(group), where);
    } else {
      socket[change === "add" ? "addMembership" : "dropMembership"](formatIpAddress(group), where);
    }
  }

  /** The group to bind to. One of link-local scope needs its zone there, others may not have one. */
  #hostname(): string {
    const { group, interfaceName } = this.#membership;
    const isLinkLocal = group.family === 6 && (group.bytes[1]! & 0x0f) === LINK_LOCAL_SCOPE;
    const address = formatIpAddress({ family: group.family, bytes: group.bytes });
    return isLinkLocal && interfaceName !== undefined ? `${address}%${interfaceName}` : address;
  }

  /** What Bun wants for an interface: IPv4 its address (a name is silently ignored), IPv6 `::%name`. Unknown names it ignores. */
  #interface(): string | undefined {
    const { interfaceName, group } = this.#membership;
    if (interfaceName === undefined) return undefined;
    const address = interfaceAddress(interfaceName, group.family);
    if (address === undefined) throw new Error(`interface ${interfaceName} has no IPv${group.family} address`);
    return group.family === 4 ? address : `::%${interfaceName}`;
  }
}
