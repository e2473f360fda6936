/** A UDP socket that is read in batches with recvmmsg. It is never in the event loop, so a packet wakes nobody. */
import type { IpAddress } from "../wire/ip/address.ts";
import { scopeOf } from "./interfaces.ts";
import { errno, type Libc, libc } from "./libc.ts";
import type { Memory } from "./memory.ts";
import { changeMembership, hearOwnGroupsOnly, type Membership } from "./multicast.ts";
import { BATCH, HEADER_WORDS, LENGTH_WORD, ReceiveBatch, SLOT_STRIDE } from "./receive-batch.ts";
import {
  bindSocket,
  bindToDevice,
  closeSocket,
  droppedDatagrams,
  localPort,
  openSocket,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOL_SOCKET,
  SystemCallError,
  setBufferSize,
  tryOption,
} from "./socket.ts";
import { addressFamily, socketAddress } from "./socket-address.ts";

const MSG_DONTWAIT = 0x40;
const EINTR = 4;
const EAGAIN = 11;
/** Somebody does not want a datagram of ours, which says nothing of what he sends; only `hearOnly` makes the kernel tell. */
const ECONNREFUSED = 111;
/** Batches a call reads at the most, so that one flooded socket cannot hold up the others: 8192 datagrams. */
const MAX_BATCHES = 128;
/** What a call hands over at the most; whoever gets fewer has got all. */
export const MAX_DATAGRAMS = MAX_BATCHES * BATCH;

/**
 * Takes datagrams one by one. The bytes are the socket's again as soon as the call returns, and until then no other socket may be
 * read. What it throws passes through; the datagrams of the batch behind it are lost.
 */
export interface DatagramSink {
  datagram(memory: Memory, offset: number, length: number): void;
}

/** As DatagramSink, and is told who has sent it. */
export interface AddressedSink {
  datagram(memory: Memory, offset: number, length: number, from: IpAddress, port: number): void;
}

export interface UdpSocketOptions {
  /** To bind to: one of our own, a wildcard, or the group of the membership. */
  readonly address: IpAddress;
  /** Without one the kernel chooses. */
  readonly port?: number;
  readonly interfaceName?: string | undefined;
  /** Kernel receive buffer to ask for, in bytes. */
  readonly receiveBufferBytes?: number;
  /** Others may bind to the same address and port. */
  readonly isShared?: boolean;
  readonly membership?: Membership;
}

/** What a socket does that is read with libc, and one that is read by the event loop. */
export interface DatagramSocket {
  /** Our own; undefined while it is not known. */
  readonly port: number | undefined;
  /** The kernel's receive buffer as it counts it, twice what was granted; 0 while unknown. */
  readonly receiveBuffer: number;
  /** Datagrams that the kernel has dropped since the socket was opened, its receive buffer being full; 0 while unknown. */
  readonly kernelDrops: number;
  /** Why the socket could not be opened or joined after all. */
  readonly failure: Error | undefined;
  /** Hands over all datagrams that have arrived, and answers how many there were (empty ones count, but are not handed over). */
  receive(sink: DatagramSink): number;
  /** The same with their senders, for sockets that few datagrams come to. */
  receiveFrom(sink: AddressedSink): number;
  /** False when it is lost, as datagrams may be: the socket is closed, the address is of another family, or the kernel refuses. */
  send(bytes: Uint8Array, to: IpAddress, port: number): boolean;
  /** Why a reading ended early, once; undefined when none did since it was last asked. Reading goes on. */
  consumeReadError(): Error | undefined;
  /** Harmless when repeated, and from within `receive`, which then hands over nothing more. */
  close(): void;
}

/** All sockets share them: a batch is handed over before the next is read. */
let plainBatch: ReceiveBatch | undefined;
let addressedBatch: ReceiveBatch | undefined;

export class UdpSocket implements DatagramSocket {
  readonly kind = "batched";
  readonly family: 4 | 6;
  readonly port: number;
  readonly receiveBuffer: number;
  readonly failure = undefined;
  readonly #membership: Membership | undefined;
  readonly #libc: Libc;
  readonly #batch: ReceiveBatch;
  /** -1 when it is closed. */
  #fd: number;
  #readErrno = 0;

  /** @throws SystemCallError when the socket, the bind or the join is refused; Error where libc cannot be opened */
  constructor(options: UdpSocketOptions) {
    if (!libc) throw new Error("such a UDP socket needs the C library");
    this.#libc = libc;
    this.#membership = options.membership;
    this.family = options.address.family;
    plainBatch ??= new ReceiveBatch(false);
    this.#batch = plainBatch;
    this.#fd = openSocket(addressFamily(options.address), SOCK_DGRAM);
    try {
      this.receiveBuffer = prepare(this.#fd, options);
      this.port = localPort(this.#fd);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  receive(sink: DatagramSink): number {
    const { memory, words, headersAddress } = this.#batch;
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES && this.#fd >= 0; batch++) {
      const count = this.#libc.recvmmsg(this.#fd, headersAddress, BATCH, MSG_DONTWAIT, null);
      if (count < 0) this.#readFailed();
      for (let i = 0; i < count && this.#fd >= 0; i++) {
        const length = words[i * HEADER_WORDS + LENGTH_WORD]!;
        if (length > 0) sink.datagram(memory, i * SLOT_STRIDE, length);
      }
      if (count > 0) total += count;
      // Fewer than asked for, or an error: nothing (more) is there.
      if (count < BATCH) break;
    }
    return total;
  }

  receiveFrom(sink: AddressedSink): number {
    addressedBatch ??= new ReceiveBatch(true);
    const { memory, words, headersAddress } = addressedBatch;
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES && this.#fd >= 0; batch++) {
      addressedBatch.resetNames();
      const count = this.#libc.recvmmsg(this.#fd, headersAddress, BATCH, MSG_DONTWAIT, null);
      if (count < 0) this.#readFailed();
      for (let i = 0; i < count && this.#fd >= 0; i++) {
        const length = words[i * HEADER_WORDS + LENGTH_WORD]!;
        if (length === 0) continue;
        const { address, port } = addressedBatch.senderOf(i);
        sink.datagram(memory, i * SLOT_STRIDE, length, address, port);
      }
      if (count > 0) total += count;
      if (count < BATCH) break;
    }
    return total;
  }

  send(bytes: Uint8Array, to: IpAddress, port: number): boolean {
    if (this.#fd < 0 || to.family !== this.family) return false;
    const address = socketAddress(to, port, scopeOf(to));
    return this.#libc.sendto(this.#fd, bytes, bytes.length, 0, address, address.length) >= 0;
  }

  /**
   * From now on the kernel takes only what this one sends; what has come before is still to be read. `send` goes where it is told to.
   * A socket that is bound to a wildcard hears from then on what is sent to that address of ours only by which we would answer.
   * @param port 0: any
   * @returns false when the kernel refuses, and nothing has changed
   */
  hearOnly(from: IpAddress, port: number): boolean {
    return this.#fd >= 0 && from.family === this.family && connectSocket(this.#fd, from, port);
  }

  #readFailed(): void {
    const code = errno(this.#libc);
    if (code !== EAGAIN && code !== EINTR && code !== ECONNREFUSED) this.#readErrno = code;
  }

  get kernelDrops(): number {
    return this.#fd < 0 ? 0 : droppedDatagrams(this.#fd);
  }

  consumeReadError(): Error | undefined {
    const code = this.#readErrno;
    this.#readErrno = 0;
    return code === 0 ? undefined : new SystemCallError("recvmmsg", code);
  }

  /**
   * Leaves the group and joins it again.
   * @throws SystemCallError
   */
  rejoin(): void {
    if (!this.#membership || this.#fd < 0) return;
    changeMembership(this.#fd, this.#membership, "leave");
    changeMembership(this.#fd, this.#membership, "join");
  }

  close(): void {
    if (this.#fd >= 0) closeSocket(this.#fd);
    this.#fd = -1;
  }
}

/**
 * Everything between `socket` and the first datagram, steps 2–7 of multicast.md section 3.
 * @returns the receive buffer in the kernel's own count; 0 when none was asked for
 */
function prepare(fd: number, options: UdpSocketOptions): number {
  const { address, port = 0, interfaceName, receiveBufferBytes, isShared, membership } = options;
  const receiveBuffer = receiveBufferBytes === undefined ? 0 : setBufferSize(fd, "receive", receiveBufferBytes);
  if (isShared) {
    tryOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    tryOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  // A membership names the interface anyway.
  if (interfaceName !== undefined) bindToDevice(fd, interfaceName);
  const hearsOthers = membership !== undefined && !hearOwnGroupsOnly(fd, address.family);
  bindSocket(fd, socketAddress(address, port, membership?.interfaceIndex ?? scopeOf(address)));
  if (membership) changeMembership(fd, membership, "join");
  if (hearsOthers && membership.source) connectSocket(fd, membership.source, 0);
  return receiveBuffer;
}

/** A datagram socket that is connected takes from that one only. False when the kernel refuses. */
function connectSocket(fd: number, peer: IpAddress, port: number): boolean {
  const address = socketAddress(peer, port, scopeOf(peer));
  return libc?.connect(fd, address, address.length) === 0;
}
