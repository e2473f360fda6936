/** What a connection sends: what is left of an answer, the media behind it, and the count of what the kernel has taken. */

/** Is told what becomes of every write to a socket. */
export interface SendMeter {
  /** The kernel has taken `taken` of the `offered` bytes. */
  sent(offered: number, taken: number): void;
}

export class SendQueue {
  /** From now on what is sent counts there too. */
  meter: SendMeter | undefined;
  #sentBytes = 0;
  readonly #socket: Pick<Bun.Socket, "write">;
  /** A local answer, or the head of a stream; the first `#queueSent` bytes of it are sent. */
  #queue: Uint8Array[] = [];
  #queueSent = 0;
  /** What follows the queue; each is asked for when the last is sent. */
  #more: Iterator<Uint8Array> | undefined;

  constructor(socket: Pick<Bun.Socket, "write">) {
    this.#socket = socket;
  }

  /** All that the kernel has ever taken. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Something is queued and nothing of it is sent. */
  get isUntouched(): boolean {
    return this.#queue.length > 0 && this.#queueSent === 0;
  }

  /** Queues `pieces` in place of what is queued, of which nothing may be sent yet; `more` comes behind them. */
  fill(pieces: Uint8Array[], more?: Iterator<Uint8Array>): void {
    this.#queue = pieces;
    this.#more = more;
  }

  clear(): void {
    this.#queue = [];
    this.#queueSent = 0;
    this.#more?.return?.();
    this.#more = undefined;
  }

  /** Offers bytes to the kernel, past the queue. Every byte of an answer goes through here. Answers how many it took. */
  send(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.max(0, this.#socket.write(bytes as Uint8Array<ArrayBuffer>, offset, length));
    this.#sentBytes += taken;
    this.meter?.sent(length, taken);
    return taken;
  }

  /**
   * Sends the one queued piece with a copy of the first media behind it: two writes would be two packets, and the player
   * waits for both. Answers how many bytes of media the kernel took.
   */
  sendBehind(bytes: Uint8Array, offset: number, length: number): number {
    const head = this.#queue[0]!.subarray(this.#queueSent);
    const taken = this.send(Buffer.concat([head, bytes.subarray(offset, offset + length)]), 0, head.length + length);
    if (taken < head.length) {
      this.#queueSent += taken;
      return 0;
    }
    this.clear();
    return taken - head.length;
  }

  /** What is queued is not all: the rest is made when its turn comes. */
  get isMadeOnTheWay(): boolean {
    return this.#more !== undefined;
  }

  /**
   * True when nothing is left of the queue.
   * @param isOver asked after each piece: true leaves the rest for another call
   */
  flush(isOver?: () => boolean): boolean {
    for (let next = this.#next(); next; next = this.#next()) {
      const left = next.length - this.#queueSent;
      this.#queueSent += this.send(next, this.#queueSent, left);
      if (this.#queueSent < next.length) return false;
      this.#queue.shift();
      this.#queueSent = 0;
      if (isOver?.()) return false;
    }
    return true;
  }

  #next(): Uint8Array | undefined {
    const piece = this.#queue[0] ?? this.#more?.next().value;
    if (piece && this.#queue.length === 0) this.#queue.push(piece);
    return piece;
  }
}
