/** An outgoing TCP or TLS connection that is read when asked: its kernel buffer, not our memory, holds what is not wanted yet. */
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { errnoText } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import type { Memory } from "./memory.ts";
import { bindToDevice, closeSocket, openSocket, SOCK_STREAM, SystemCallError } from "./socket.ts";
import { addressFamily, socketAddress } from "./socket-address.ts";

const EAGAIN = 11;
const EINPROGRESS = 115;
const MSG_DONTWAIT = 0x40;
/** A peer that has lost its power is noticed however long it may be silent; the kernel asks for ten more seconds. */
const KEEPALIVE_IDLE_MS = 30_000;
/** A full TLS record is seldom alone: after that much at once the rest need not gather until the reader's next beat. */
const PLENTY_BYTES = 16 * 1024;

export interface TcpTarget {
  readonly address: IpAddress;
  readonly port: number;
  /** Interface to send through, whatever the routing table says. */
  readonly interfaceName?: string | undefined;
  /** Name to verify the certificate for; undefined for plain TCP. */
  readonly tlsName?: string | undefined;
}

export interface TcpEvents {
  /** The connection is made; bytes may be written. */
  connected(): void;
  /** Bytes have come (the first ones, or after `read` had found none), or it is over. See `pullOnly`. Never from within `read`. */
  readable(): void;
}

type Socket = Bun.Socket<undefined>;
type Address = Parameters<NonNullable<typeof libc>["recv"]>[1];

export class TcpSource {
  /** Why it is over; undefined after a regular end. */
  failure: Error | undefined;
  /** When the kernel last took bytes to send, on the clock of `performance.now()`. */
  progressAt = 0;
  /** False when the kernel refused the interface that was asked for, or cannot be asked: the routing table then chooses. */
  isBound = true;
  readonly #target: TcpTarget;
  readonly #events: TcpEvents;
  /** What says that the connection is made. A socket of our own is adopted before it is: its first `drain` does. */
  readonly #madeBy: "open" | "drain" | "handshake";
  #socket: Socket | undefined;
  #state: "connecting" | "open" | "over" | "closed" = "connecting";
  /** Delivered by the event loop and not yet read. */
  #pieces: Uint8Array[] = [];
  #pieceAt = 0;
  /** Not yet taken by the kernel. */
  #unsent: Uint8Array[] = [];
  #unsentAt = 0;
  #isPaused = false;
  /** The last read took all there was: the next one finds nothing, and more gathers until the one behind it. */
  #isDrained = false;
  #isAnnouncing = true;

  /** @throws SystemCallError when not even the attempt can be made */
  constructor(target: TcpTarget, events: TcpEvents) {
    this.#target = target;
    this.#events = events;
    this.#madeBy = target.tlsName !== undefined ? "handshake" : libc ? "drain" : "open";
    this.#connect();
  }

  get name(): string {
    const { address, port } = this.#target;
    const host = formatIpAddress(address);
    return address.family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** Our own port; undefined before the connection is made. */
  get localPort(): number | undefined {
    return this.#socket?.localPort;
  }

  /** Queues bytes to send. All of them are sent before the connection is over, unless it breaks. */
  write(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    if (this.#state === "open") this.#flush();
  }

  /** True when the kernel has taken all that was written. */
  get isFlushed(): boolean {
    return this.#unsent.length === 0;
  }

  /** From now on the reader asks on a beat of its own: only what the event loop brings, as with TLS, is still announced. */
  pullOnly(): void {
    this.#isAnnouncing = false;
  }

  /** The reader waits: the next bytes, or the end, are announced once. */
  announce(): void {
    this.#isDrained = false;
    this.#resume();
  }

  /** Reads at most `length` bytes, a whole number. 0: none are there now. -1: it is over. */
  read(into: Memory, offset: number, length: number): number {
    const piece = this.#pieces[0];
    if (piece) return this.#readPiece(piece, into.bytes, offset, length);
    if (this.#state === "over" || this.#state === "closed") return -1;
    if (this.#state === "connecting") return 0;
    if (this.#isDrained) {
      this.#isDrained = false;
      if (this.#isAnnouncing) this.#resume();
      return 0;
    }
    if (this.#madeBy === "drain") return this.#receive(into.address + offset, length);
    this.#resume();
    return 0;
  }

  /** Ends the connection at once. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#pieces = [];
    this.#unsent = [];
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  #readPiece(piece: Uint8Array, into: Uint8Array, offset: number, length: number): number {
    const part = piece.subarray(this.#pieceAt, this.#pieceAt + length);
    into.set(part, offset);
    this.#pieceAt += part.length;
    if (this.#pieceAt < piece.length) return part.length;
    this.#pieces.shift();
    this.#pieceAt = 0;
    this.#isDrained = this.#pieces.length === 0 && !this.#isAnnouncing && piece.length < PLENTY_BYTES;
    return part.length;
  }

  #receive(address: number, length: number): number {
    const c = libc!;
    const socket = this.#socket as Socket & { fd: number };
    const count = c.recv(socket.fd, address as Address, length, MSG_DONTWAIT);
    if (count > 0) {
      this.#isDrained = count < length;
      return count;
    }
    if (count < 0) {
      const code = errno(c);
      if (code === EAGAIN) {
        if (this.#isAnnouncing) this.#resume();
        return 0;
      }
      this.failure = new SystemCallError(`${this.name}: recv`, code);
    }
    this.#state = "over";
    return -1;
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }

  #connect(): void {
    const handlers: Bun.SocketHandler<undefined> = {
      open: (socket) => {
        this.#socket = socket;
        socket.setKeepAlive(true, KEEPALIVE_IDLE_MS);
        if (this.#state === "closed") socket.terminate();
        else if (this.#madeBy === "open") this.#opened();
      },
      handshake: (socket, success, error) => this.#handshake(socket, success, error),
      data: (_socket, piece) => this.#take(piece),
      drain: () => this.#drained(),
      end: () => this.#closedByPeer(undefined),
      close: (_socket, error) => this.#closedByPeer(error),
      error: (_socket, error) => this.#closedByPeer(error),
      connectError: (_socket, error) => this.#closedByPeer(error),
    };
    Bun.connect(this.#options(handlers)).catch((error: Error) => this.#closedByPeer(error));
  }

  #options(socket: Bun.SocketHandler<undefined>) {
    const { address, port, interfaceName, tlsName } = this.#target;
    const tls = tlsName === undefined ? {} : { tls: { serverName: tlsName, rejectUnauthorized: true } };
    const common = { socket, allowHalfOpen: true, data: undefined, ...tls };
    // Bun's types do not know that a socket whose connection is under way is adopted, too.
    if (libc) return { ...common, fd: this.#begin() } as never;
    this.isBound = interfaceName === undefined;
    return { ...common, hostname: formatIpAddress(address), port };
  }

  /** A socket whose connection is under way: it can be bound to a device and given up at any time. */
  #begin(): number {
    const { address, port, interfaceName } = this.#target;
    const fd = openSocket(addressFamily(address), SOCK_STREAM);
    if (interfaceName !== undefined) this.isBound = bindToDevice(fd, interfaceName);
    const to = socketAddress(address, port);
    const c = libc!;
    if (c.connect(fd, to, to.length) < 0) {
      const code = errno(c);
      if (code !== EINPROGRESS) {
        closeSocket(fd);
        throw new SystemCallError(`${this.name}: connect`, code);
      }
    }
    return fd;
  }

  #opened(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#events.connected();
    this.#flush();
  }

  #handshake(socket: Socket, success: boolean, error: Error | null): void {
    if (success && !error) this.#opened();
    else {
      this.failure = new Error(`${this.name}: certificate refused: ${error?.message ?? "not to be trusted"}`);
      this.#over();
      socket.terminate();
    }
  }

  #drained(): void {
    if (this.#state === "connecting" && this.#madeBy === "drain") this.#opened();
    else this.#flush();
  }

  #flush(): void {
    for (let next = this.#unsent[0]; next && this.#state === "open"; next = this.#unsent[0]) {
      const left = next.length - this.#unsentAt;
      const taken = this.#socket?.write(next as Uint8Array<ArrayBuffer>, this.#unsentAt, left) ?? 0;
      if (taken > 0) {
        this.#unsentAt += taken;
        this.progressAt = performance.now();
      }
      if (this.#unsentAt < next.length) return;
      this.#unsent.shift();
      this.#unsentAt = 0;
    }
  }

  /** From now on we read ourselves: nothing more is to be delivered than what asks to be read. */
  #take(piece: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#pieces.push(piece);
    this.#pause();
    this.#events.readable();
  }

  #over(): void {
    if (this.#state === "closed" || this.#state === "over") return;
    this.#state = "over";
    this.#events.readable();
  }

  #closedByPeer(error: Error | undefined | null): void {
    if (error && !this.failure) this.failure = new Error(`${this.name}: ${error.message}`);
    if (this.#state === "connecting" && !this.failure) this.failure = new Error(`${this.name}: connection refused`);
    this.#over();
  }
}

/** `errno` of a failed attempt in words. */
export function failureText(error: unknown): string {
  if (error instanceof SystemCallError) return errnoText(error.errno);
  return error instanceof Error ? error.message : String(error);
}
