/** An outgoing TCP or TLS connection that is read when asked: its kernel buffer, not our memory, holds what is not wanted yet. */
import { errorAdvice } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import type { Memory } from "./memory.ts";
import { receiveBufferSize, SystemCallError } from "./socket.ts";
import { startTcp, type TcpTarget, targetName } from "./tcp-connect.ts";

const EAGAIN = 11;
const MSG_DONTWAIT = 0x40;
/** A peer that has lost its power is noticed however long it may be silent; the kernel asks for ten more seconds. */
const KEEPALIVE_IDLE_MS = 30_000;
/** A full TLS record is seldom alone: after that much at once the rest need not gather until the reader's next beat. */
const PLENTY_BYTES = 16 * 1024;

export interface TcpEvents {
  /** The connection is made; bytes may be written. */
  connected?(): void;
  /** Bytes have come, or it is over. Never from within `read`. See `waitReadable` and `manual`. */
  readable(): void;
}

type Socket = Bun.Socket<undefined>;
type Address = Parameters<NonNullable<typeof libc>["recv"]>[1];

type State =
  | "connecting"
  /** The event loop reads: the next bytes are delivered, and end the waiting. */
  | "waiting"
  /** Nothing more is delivered than what asks to be read. */
  | "reading"
  /** As "reading", but the last read took all there was: the next one finds nothing without asking the kernel. */
  | "drained"
  /** What was delivered before the end can still be read. */
  | "over"
  | "closed";

/** How it is known that the connection is made, and who reads. */
type Transport =
  /** A socket of our own is adopted before it is connected: its first `drain` tells. Read with recv. */
  | "libc"
  /** Its handshake tells. Only the event loop can read. */
  | "tls"
  /** Bun has made it: `open` tells. Only the event loop can read. */
  | "evented";

export class TcpSource {
  /** Why it is over; undefined after a regular end. */
  failure: Error | undefined;
  /** When the kernel last took bytes to send, on the clock of `performance.now()`. */
  progressAt = 0;
  /** False when the kernel refused the interface that was asked for, or cannot be asked: the routing table then chooses. */
  isBound = true;
  readonly target: TcpTarget;
  /** For messages: `1.2.3.4:80`. */
  readonly name: string;
  readonly #transport: Transport;
  #events: TcpEvents;
  #socket: Socket | undefined;
  #state: State = "connecting";
  /** What a read that finds nothing does: wait for the event loop, or leave it to the reader to come again. */
  #whenEmpty: "wait" | "come-again" = "wait";
  /** Delivered by the event loop and not yet read. */
  #pieces: Uint8Array[] = [];
  #pieceAt = 0;
  /** Not yet taken by the kernel. */
  #unsent: Uint8Array[] = [];
  #unsentAt = 0;

  /** @throws SystemCallError when not even the attempt can be made */
  constructor(target: TcpTarget, events: TcpEvents) {
    this.target = target;
    this.name = targetName(target);
    this.#events = events;
    this.#transport = target.tlsName !== undefined ? "tls" : libc ? "libc" : "evented";
    this.#connect();
  }

  /** Our own port; undefined before the connection is made. */
  get localPort(): number | undefined {
    return this.#socket?.localPort;
  }

  /** About how many bytes the peer may send before we read: then it has to stop. Infinite where the event loop reads. */
  get window(): number {
    if (this.#transport !== "libc" || !this.#socket || !this.#isOpen) return Number.POSITIVE_INFINITY;
    return receiveBufferSize((this.#socket as Socket & { fd: number }).fd) / 2;
  }

  /** The events are another owner's from now on. */
  handOver(events: TcpEvents): void {
    this.#events = events;
  }

  /** Queues bytes to send. All of them are sent before the connection is over, unless it breaks. */
  write(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    this.#flush();
  }

  /** True when the kernel has taken all that was written. */
  get isFlushed(): boolean {
    return this.#unsent.length === 0;
  }

  /**
   * From now on only who asks reads: a read that finds nothing waits no more. Over TLS and without libc the event loop still has to
   * bring the bytes, and each piece is told.
   */
  manual(): void {
    this.#whenEmpty = "come-again";
  }

  /** The next bytes, or the end, make one `readable`. */
  waitReadable(): void {
    if (this.#state === "reading" || this.#state === "drained") this.#enter("waiting");
  }

  /** Reads at most `length` bytes, a whole number. 0: none are there now. -1: it is over. */
  read(into: Memory, offset: number, length: number): number {
    const piece = this.#pieces[0];
    if (piece) return this.#readPiece(piece, into.bytes, offset, length);
    switch (this.#state) {
      case "connecting":
        return 0;
      case "over":
      case "closed":
        return -1;
      case "drained":
        this.#enter(this.#whenEmpty === "wait" ? "waiting" : "reading");
        return 0;
      default:
        if (this.#transport === "libc") return this.#receive(into.address + offset, length);
        this.#enter("waiting");
        return 0;
    }
  }

  /** Ends the connection at once. */
  close(): void {
    if (this.#state === "closed") return;
    this.#enter("closed");
    this.#pieces = [];
    this.#unsent = [];
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  /** The only place that changes the state. */
  #enter(state: State): void {
    if (state === this.#state) return;
    const wasFlowing = this.#state === "connecting" || this.#state === "waiting";
    this.#state = state;
    if (state === "waiting" && !wasFlowing) this.#socket?.resume();
    if (state === "reading" && wasFlowing) this.#socket?.pause();
  }

  get #isOpen(): boolean {
    return this.#state === "waiting" || this.#state === "reading" || this.#state === "drained";
  }

  #readPiece(piece: Uint8Array, into: Uint8Array, offset: number, length: number): number {
    const part = piece.subarray(this.#pieceAt, this.#pieceAt + length);
    into.set(part, offset);
    this.#pieceAt += part.length;
    if (this.#pieceAt < piece.length) return part.length;
    this.#pieces.shift();
    this.#pieceAt = 0;
    const isAll = this.#pieces.length === 0 && piece.length < PLENTY_BYTES;
    if (isAll && this.#whenEmpty === "come-again" && this.#state === "reading") this.#enter("drained");
    return part.length;
  }

  #receive(address: number, length: number): number {
    const c = libc!;
    const socket = this.#socket as Socket & { fd: number };
    const count = c.recv(socket.fd, address as Address, length, MSG_DONTWAIT);
    if (count > 0) {
      if (count < length && this.#state === "reading") this.#enter("drained");
      return count;
    }
    if (count < 0) {
      const code = errno(c);
      if (code === EAGAIN) {
        if (this.#whenEmpty === "wait") this.#enter("waiting");
        return 0;
      }
      this.failure = new SystemCallError(`${this.name}: recv`, code);
    }
    this.#enter("over");
    return -1;
  }

  #connect(): void {
    const handlers: Bun.SocketHandler<undefined> = {
      open: (socket) => {
        this.#socket = socket;
        socket.setKeepAlive(true, KEEPALIVE_IDLE_MS);
        if (this.#state === "closed") socket.terminate();
        else if (this.#transport === "evented") this.#opened();
      },
      handshake: (socket, success, error) => this.#handshake(socket, success, error),
      data: (_socket, piece) => this.#take(piece),
      drain: () => this.#drained(),
      end: () => this.#closedByPeer(undefined),
      close: (_socket, error) => this.#closedByPeer(error),
      error: (_socket, error) => this.#closedByPeer(error),
      connectError: (_socket, error) => this.#closedByPeer(error),
    };
    const { isBound, opening } = startTcp(this.target, handlers);
    this.isBound = isBound;
    opening.catch((error: Error) => this.#closedByPeer(error));
  }

  #opened(): void {
    if (this.#state !== "connecting") return;
    this.#enter("waiting");
    this.#events.connected?.();
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
    if (this.#transport === "libc") this.#opened();
    this.#flush();
  }

  #flush(): void {
    for (let next = this.#unsent[0]; next && this.#isOpen; next = this.#unsent[0]) {
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

  /** Also what is delivered in spite of the pause: the kernel does so before a reset. */
  #take(piece: Uint8Array): void {
    // Bytes prove that there is a connection, but not whose it is.
    if (this.#transport !== "tls") this.#opened();
    if (this.#state === "closed") return;
    this.#pieces.push(piece);
    if (this.#isOpen) this.#enter("reading");
    this.#events.readable();
  }

  #over(): void {
    if (this.#state === "closed" || this.#state === "over") return;
    this.#enter("over");
    this.#events.readable();
  }

  #closedByPeer(error: Error | undefined | null): void {
    if (error && !this.failure) this.failure = new Error(`${this.name}: ${errorAdvice(error)}`);
    if (this.#state === "connecting" && !this.failure) this.failure = new Error(`${this.name}: connection refused`);
    this.#over();
  }
}
