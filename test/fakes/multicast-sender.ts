/** Sends verifiable MPEG-TS to a multicast group on the loopback interface, paced by rate or on demand; needs no root. */

import { type DatagramOptions, DatagramSource, datagramBytes } from "./ts-datagrams.ts";

/** Short enough that a burst fits a default receive buffer at any rate a test uses. */
const PACE_INTERVAL_MS = 2;
/** Beyond this much delay of the test process itself the sender slips instead of catching up in one burst. */
const MAX_CATCH_UP_MS = 50;

export interface MulticastSenderOptions extends DatagramOptions {
  /** IPv4 multicast address. */
  readonly group: string;
  readonly port: number;
}

export class MulticastSender {
  /** Datagrams and bytes given to the network. */
  sentDatagrams = 0;
  sentBytes = 0;
  readonly source: DatagramSource;

  readonly #options: MulticastSenderOptions;
  readonly #socket: Bun.udp.Socket<"buffer">;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: MulticastSenderOptions, socket: Bun.udp.Socket<"buffer">) {
    this.#options = options;
    this.#socket = socket;
    this.source = new DatagramSource(options);
  }

  /** Opens the socket. Close it with `close()` or `using`. */
  static async open(options: MulticastSenderOptions): Promise<MulticastSender> {
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data() {}, error() {} } });
    socket.setMulticastInterface("127.0.0.1");
    socket.setMulticastLoopback(true);
    return new MulticastSender(options, socket);
  }

  /** The port they go to. */
  get port(): number {
    return this.#options.port;
  }

  /** The port the datagrams come from. */
  get sourcePort(): number {
    return this.#socket.port;
  }

  /** Makes `count` datagrams and sends what the faults leave of them, all at once. */
  send(count: number): void {
    for (let i = 0; i < count; i++) {
      for (const datagram of this.source.next()) this.sendRaw(datagram);
    }
  }

  /** Sends any bytes as one datagram. */
  sendRaw(datagram: Uint8Array): void {
    const { group, port } = this.#options;
    if (!this.#socket.send(datagram, port, group)) throw new Error(`the send buffer for ${group}:${port} is full`);
    this.sentDatagrams++;
    this.sentBytes += datagram.length;
  }

  /** Sends evenly at `bitsPerSecond`, counted over the datagrams before faults, until `pause()` or `close()`. */
  start(bitsPerSecond: number): void {
    this.pause();
    const datagramsPerMs = bitsPerSecond / 8 / 1000 / datagramBytes(this.#options);
    let last = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const now = performance.now();
      due += Math.min(now - last, MAX_CATCH_UP_MS) * datagramsPerMs;
      last = now;
      const whole = Math.floor(due);
      due -= whole;
      this.send(whole);
    }, PACE_INTERVAL_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.pause();
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
