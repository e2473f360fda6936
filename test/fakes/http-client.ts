/**
 * An HTTP/1 client on a raw socket: it sends any bytes, reads no more than it is told to, and ends as rudely as wanted.
 *
 * What arrives is buffered until `head`, `read` or `readToEnd` takes it, or passes to the sink of `stream`. Bodies are
 * raw: chunked coding is not removed. While the client is paused the kernel's window closes and the server is blocked.
 */

import { until } from "./until.ts";

const DEFAULT_WAIT_MS = 20_000;
const HEAD_END = "\r\n\r\n";

export interface HttpHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  /** The head as it came, with the empty line. */
  readonly raw: string;
}

export type HttpServerAddress = { readonly port: number; readonly host?: string } | { readonly unix: string };

export class HttpClient {
  /** `ended`: the server has sent its FIN and we may still send. `closed`: nothing works any more. */
  state: "open" | "ended" | "closed" = "open";
  /** Bytes received since the connection was opened, heads included. */
  bytesReceived = 0;
  /** Why the connection was closed, if the kernel says so (`ECONNRESET`). */
  error: Error | undefined;

  #socket!: Bun.Socket<undefined>;
  #chunks: Uint8Array[] = [];
  #sink: ((chunk: Uint8Array) => void) | undefined;
  #unsent: Uint8Array = new Uint8Array(0);
  #shutdownWhenSent = false;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #resumeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Connects to a TCP port (of 127.0.0.1 by default) or a Unix socket. Rejects if that is refused. */
  static async connect(address: HttpServerAddress): Promise<HttpClient> {
    const client = new HttpClient();
    const socket: Bun.SocketHandler<undefined> = {
      data: (_, chunk) => client.#receive(chunk),
      drain: () => client.#flush(),
      end: () => {
        if (client.state === "open") client.state = "ended";
      },
      error: (_, error) => {
        client.error = error;
      },
      close: (_, error) => {
        client.state = "closed";
        client.error ??= error;
      },
    };
    if ("unix" in address) client.#socket = await Bun.connect({ unix: address.unix, allowHalfOpen: true, socket });
    else {
      const { host = "127.0.0.1", port } = address;
      client.#socket = await Bun.connect({ hostname: host, port, allowHalfOpen: true, socket });
    }
    return client;
  }

  /** Our own port, as the server sees it. */
  get localPort(): number {
    return this.#socket.localPort;
  }

  /** Bytes received and not taken yet. */
  get buffered(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Sends all of `data`, however slowly the server reads. */
  send(data: string | Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, typeof data === "string" ? Buffer.from(data) : data]);
    this.#flush();
  }

  /** Sends a request without a body. `headers` may replace the default `Host: test`. */
  request(method: string, target: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ Host: "test", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.send(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Takes the next response head. Rejects if the connection ends before it is complete, or after `ms` milliseconds. */
  async head(ms = DEFAULT_WAIT_MS): Promise<HttpHead> {
    await this.#untilBuffered((bytes) => bytes.includes(HEAD_END), ms, "a response head");
    return parseHead(this.#take(this.#merge().indexOf(HEAD_END) + HEAD_END.length).toString("latin1"));
  }

  /** Takes exactly `length` bytes. Rejects if the connection ends earlier, or after `ms` milliseconds. */
  async read(length: number, ms = DEFAULT_WAIT_MS): Promise<Buffer> {
    await this.#untilBuffered((bytes) => bytes.length >= length, ms, `${length} bytes`);
    return this.#take(length);
  }

  /** Takes everything up to the end of the connection. Rejects after `ms` milliseconds. */
  async readToEnd(ms = DEFAULT_WAIT_MS): Promise<Buffer> {
    await until(() => this.state !== "open", ms, `the end of the connection (${this.bytesReceived} bytes so far)`);
    return this.#take(this.buffered);
  }

  /** Takes a head and the body its Content-Length declares; without one, everything up to the end. */
  async response(ms = DEFAULT_WAIT_MS): Promise<{ head: HttpHead; body: Buffer }> {
    const head = await this.head(ms);
    const length = head.headers.get("content-length");
    return { head, body: length === null ? await this.readToEnd(ms) : await this.read(Number(length), ms) };
  }

  /** Passes the buffered and all later bytes to `sink`. */
  stream(sink: (chunk: Uint8Array) => void): void {
    this.#sink = sink;
    const bytes = this.#take(this.buffered);
    if (bytes.length > 0) sink(bytes);
  }

  /** Stops reading: the receive window fills up and closes. */
  pause(): void {
    clearTimeout(this.#resumeTimer);
    this.#socket.pause();
  }

  /** Reads as fast as the server sends. */
  resume(): void {
    this.readAtMost(Number.POSITIVE_INFINITY);
  }

  /** Reads at this average rate, in bites of what the kernel gives at once (up to 512 KiB). */
  readAtMost(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    clearTimeout(this.#resumeTimer);
    this.#socket.resume();
  }

  /** Sends a FIN once all is sent, and keeps reading. */
  halfClose(): void {
    this.#shutdownWhenSent = true;
    this.#flush();
  }

  /** Closes both directions at once, as a program that ends does: a FIN, and a reset if more arrives. */
  close(): void {
    clearTimeout(this.#resumeTimer);
    this.#socket.end();
    this.state = "closed";
  }

  /** Resets the connection. */
  destroy(): void {
    clearTimeout(this.#resumeTimer);
    this.#socket.terminate();
    this.state = "closed";
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #receive(chunk: Uint8Array): void {
    this.bytesReceived += chunk.length;
    if (this.#sink === undefined) this.#chunks.push(chunk);
    else this.#sink(chunk);
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    this.#socket.pause();
    this.#resumeTimer = setTimeout(() => this.#socket.resume(), (chunk.length / this.#bytesPerSecond) * 1000);
  }

  #flush(): void {
    if (this.#unsent.length > 0) {
      const written = this.#socket.write(this.#unsent);
      if (written > 0) this.#unsent = this.#unsent.subarray(written);
    }
    if (this.#unsent.length === 0 && this.#shutdownWhenSent) {
      this.#shutdownWhenSent = false;
      this.#socket.shutdown();
    }
  }

  async #untilBuffered(isEnough: (bytes: Buffer) => boolean, ms: number, what: string): Promise<void> {
    let seen = -1;
    const holds = () => {
      if (this.bytesReceived === seen) return false;
      seen = this.bytesReceived;
      return isEnough(this.#merge());
    };
    await until(() => holds() || this.state !== "open", ms, what);
    if (!isEnough(this.#merge())) {
      const reason = this.error === undefined ? "" : ` (${this.error.message})`;
      throw new Error(`connection ${this.state}${reason} before ${what}; ${this.buffered} bytes buffered`);
    }
  }

  /** Makes the buffered bytes one chunk. */
  #merge(): Buffer {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }

  #take(length: number): Buffer {
    const bytes = this.#merge();
    this.#chunks = [bytes.subarray(length)];
    return bytes.subarray(0, length);
  }
}

/** Throws if `raw` is not a response head. */
function parseHead(raw: string): HttpHead {
  const [statusLine = "", ...lines] = raw.slice(0, -HEAD_END.length).split("\r\n");
  const match = /^(HTTP\/1\.[01]) (\d{3}) ?(.*)$/.exec(statusLine);
  if (match === null) throw new Error(`not a status line: ${statusLine}`);
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error(`not a header line: ${line}`);
    headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return { version: match[1]!, status: Number(match[2]), reason: match[3]!, headers, raw };
}

/** Whether anybody listens there. */
export async function accepts(port: number): Promise<boolean> {
  try {
    using _ = await HttpClient.connect({ port });
    return true;
  } catch {
    return false;
  }
}
