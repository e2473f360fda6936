/** One connection of the fake RTSP server: sends whatever it is told to, cut as wanted, and ends as rudely as wanted. */

import { ClientInput, type InputParent } from "./rtsp-input.ts";
import type { DatagramSource } from "./ts-datagrams.ts";

/** Media is held back while so much waits for the client to read. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** Cuts bytes into the pieces in which they are written, each in a turn of the event loop of its own. */
export type Cut = (bytes: Uint8Array) => readonly Uint8Array[];

/** Where media goes: to channels of the connection, or to a UDP port. */
export type Destination =
  | { readonly kind: "tcp"; readonly channel: number }
  | { readonly kind: "udp"; readonly socket: Bun.udp.Socket<"buffer">; readonly host: string; readonly port: number };

export class RtspConnection {
  /** `ended`: the client has sent its FIN. */
  state: "open" | "ended" | "closed" = "open";
  sentDatagrams = 0;
  destination: Destination | undefined;
  readonly remoteAddress: string;

  readonly #socket: Bun.Socket<RtspConnection | undefined>;
  readonly #input: ClientInput;
  readonly #source: DatagramSource;
  readonly #cut: Cut;
  readonly #unsent: Uint8Array[] = [];
  #isWriting = false;
  #ending: "eof" | "reset" | undefined;
  #timer: Timer | undefined;

  constructor(
    socket: Bun.Socket<RtspConnection | undefined>,
    number: number,
    parent: InputParent,
    source: DatagramSource,
    cut: Cut | undefined,
  ) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress;
    this.#input = new ClientInput(number, parent);
    this.#source = source;
    this.#cut = cut ?? ((bytes) => [bytes]);
  }

  /** Sends any bytes on the control connection. */
  send(data: string | Uint8Array): void {
    this.#unsent.push(...this.#cut(typeof data === "string" ? Buffer.from(data, "latin1") : data));
    this.flush();
  }

  /** Sends the next `count` datagrams of the stream to where SETUP said. */
  sendMedia(count: number): void {
    const { destination } = this;
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      for (const datagram of this.#source.next()) {
        this.sentDatagrams++;
        if (destination?.kind === "tcp") frames.push(interleavedFrame(destination.channel, datagram));
        else destination?.socket.send(datagram, destination.port, destination.host);
      }
    }
    if (frames.length > 0) this.send(Buffer.concat(frames));
  }

  /** Sends RTCP to where SETUP said. */
  sendReport(report: Uint8Array): void {
    const { destination } = this;
    if (destination?.kind === "tcp") this.send(interleavedFrame(destination.channel + 1, report));
    else destination?.socket.send(report, destination.port + 1, destination.host);
  }

  /** Sends `datagramsPerBeat` every `beatMs`, until `pauseMedia` or the end of the connection. */
  startMedia(datagramsPerBeat: number, beatMs: number): void {
    this.pauseMedia();
    this.#timer = setInterval(() => {
      const waiting = this.#unsent.reduce((sum, { length }) => sum + length, 0);
      if (waiting < MAX_UNSENT_BYTES) this.sendMedia(datagramsPerBeat);
    }, beatMs);
  }

  pauseMedia(): void {
    clearInterval(this.#timer);
  }

  /** Once all is sent: a FIN, or a reset. */
  end(how: "eof" | "reset"): void {
    this.pauseMedia();
    this.#ending = how;
    this.flush();
  }

  /** For the server's socket handlers. */
  received(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  /** For the server's socket handlers. */
  closed(): void {
    this.pauseMedia();
    this.state = "closed";
  }

  /** Writes what the kernel takes. For the server's socket handlers, too. */
  flush(): void {
    if (this.#isWriting || this.state === "closed") return;
    const piece = this.#unsent[0];
    if (piece === undefined) {
      this.#finish();
      return;
    }
    const written = Math.max(this.#socket.write(piece as Uint8Array<ArrayBuffer>), 0);
    if (written < piece.length) {
      this.#unsent[0] = piece.subarray(written);
      return;
    }
    this.#unsent.shift();
    this.#isWriting = true;
    setImmediate(() => {
      this.#isWriting = false;
      this.flush();
    });
  }

  #finish(): void {
    if (this.#ending === "eof") this.#socket.shutdown();
    if (this.#ending === "reset") this.#socket.terminate();
    this.#ending = undefined;
  }
}

/** RFC 2326 section 10.12. */
export function interleavedFrame(channel: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x24, channel, payload.length >> 8, payload.length), payload]);
}
