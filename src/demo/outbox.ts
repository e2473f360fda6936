/** Sends on a socket, and keeps what the kernel does not take at once. */

/** A client that asks and does not read has so much coming to it. */
const MAX_WAITING_BYTES = 256 * 1024;

type Writable = Pick<Bun.Socket<unknown>, "write" | "terminate">;

export class Outbox {
  readonly #socket: Writable;
  #waiting: Buffer<ArrayBuffer> = Buffer.alloc(0);

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** Whether the kernel has taken everything. Whoever has much to say waits for that. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Ends the connection when too much waits already. The bytes may be used again afterwards. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    const taken = this.isEmpty ? Math.max(0, this.#socket.write(bytes)) : 0;
    if (taken < bytes.length) this.#waiting = Buffer.concat([this.#waiting, bytes.subarray(taken)]);
    if (this.#waiting.length > MAX_WAITING_BYTES) this.#socket.terminate();
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.isEmpty) return;
    const taken = Math.max(0, this.#socket.write(this.#waiting));
    this.#waiting = this.#waiting.subarray(taken);
  }
}
