/** A client that asks an RTSP server whatever a test wants, and keeps what it answers and sends. */

import { headerValue } from "../../src/wire/http/header-fields.ts";
import { RtspDemux } from "../../src/wire/rtsp/demux.ts";
import type { RtspResponse } from "../../src/wire/rtsp/message.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 3000;

export class RtspClient {
  /** RTP datagrams that came within the connection. */
  readonly datagrams: Buffer[] = [];
  isOpen = true;
  readonly #responses: RtspResponse[] = [];
  #socket!: Bun.Socket<undefined>;
  #cseq = 0;
  #sessionId: string | undefined;

  static async connect(url: string): Promise<RtspClient> {
    const { hostname, port } = new URL(url.replace("rtsp:", "http:"));
    const client = new RtspClient();
    const demux = new RtspDemux({
      frame: (_channel, bytes, offset, length) => {
        client.datagrams.push(Buffer.from(bytes.subarray(offset, offset + length)));
      },
      response: (response) => client.#responses.push(response),
      request: () => {},
    });
    client.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_socket, piece) => demux.push(piece),
        close: () => {
          client.isOpen = false;
        },
      },
    });
    return client;
  }

  /** The status of the answer, its header lines as one text, and its body. */
  async ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}) {
    const all = { CSeq: String(++this.#cseq), ...(this.#sessionId && { Session: this.#sessionId }), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`${method} ${url} RTSP/1.0\r\n${lines.join("")}\r\n`);
    await until(() => this.#responses.length > 0 || !this.isOpen, WAIT_MS, `the answer to ${method}`);
    const { status, headers: fields, body } = this.#responses.shift()!;
    this.#sessionId = headerValue(fields, "session")?.split(";")[0] ?? this.#sessionId;
    const text = fields.map(([name, value]) => `${name}: ${value}`).join("\n");
    return { status, headers: text, body: Buffer.from(body).toString() };
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  async untilDatagrams(count: number): Promise<void> {
    await until(() => this.datagrams.length >= count, WAIT_MS, `${count} datagrams`);
  }

  async untilClosed(): Promise<void> {
    await until(() => !this.isOpen, WAIT_MS, "the end of the connection");
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
