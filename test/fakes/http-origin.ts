/**
 * An HTTP server on raw sockets that does what the test's script says: exact bytes, pauses, resets, never reading.
 *
 * It knows no HTTP but the end of a request head. All that it sends goes to the kernel at once and as far as the kernel
 * takes it, so that a test can see when the other side has stopped reading.
 */

import { dlopen } from "bun:ffi";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  bindSocket,
  closeSocket,
  openSocket,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  setOption,
} from "../../src/system/socket.ts";
import { AF_INET, socketAddress } from "../../src/system/socket-address.ts";
import { until } from "./until.ts";

const WAIT_MS = 20_000;
const HEAD_END = "\r\n\r\n";
/** A sender whose count stands still for so many looks has been stopped by the window. */
const STILL_LOOKS = 40;

export class OriginConnection {
  /** `ended`: the peer has sent its FIN. `closed`: nothing works any more. */
  state: "open" | "ended" | "closed" = "open";
  /** The script has begun; with TLS, the handshake is through. */
  hasBegun = false;
  /** Bytes that the kernel has taken from us. */
  bytesSent = 0;
  readonly #socket: Bun.Socket<OriginConnection>;
  #received: Uint8Array[] = [];
  #unsent: Uint8Array = new Uint8Array(0);
  #endsWhenSent = false;

  constructor(socket: Bun.Socket<OriginConnection>) {
    this.#socket = socket;
  }

  /** All that has been received. */
  get received(): Buffer {
    const bytes = Buffer.concat(this.#received);
    this.#received = [bytes];
    return bytes;
  }

  /** The peer's port. */
  get peerPort(): number {
    return this.#socket.remotePort;
  }

  get isSent(): boolean {
    return this.#unsent.length === 0;
  }

  /** Waits for a request head and answers it. */
  async head(): Promise<string> {
    await until(() => this.received.includes(HEAD_END), WAIT_MS, "a request head");
    return this.received.toString("latin1").split(HEAD_END, 1)[0]! + HEAD_END;
  }

  /** Queues bytes to send, as fast as the peer takes them. */
  send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#unsent = this.isSent ? bytes : Buffer.concat([this.#unsent, bytes]);
    this.flush();
  }

  /** Waits until the peer no longer takes what we send. Rejects when it takes everything. */
  async stopped(): Promise<void> {
    let sent = -1;
    let looks = 0;
    const isStopped = () => {
      looks = this.bytesSent === sent ? looks + 1 : 0;
      sent = this.bytesSent;
      return looks >= STILL_LOOKS && sent > 0;
    };
    await until(isStopped, 2 * WAIT_MS, "the peer to stop reading");
    if (this.isSent) throw new Error(`the peer has taken all ${sent} bytes`);
  }

  /** Sends a FIN behind what is still to be sent. */
  end(): void {
    this.#endsWhenSent = true;
    this.flush();
  }

  /** Resets the connection; what the kernel has not delivered is lost. */
  reset(): void {
    this.#socket.terminate();
  }

  /** Stops reading: the peer's sending comes to a halt. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  receive(piece: Uint8Array): void {
    this.#received.push(piece);
  }

  flush(): void {
    if (this.#unsent.length > 0) {
      const taken = Math.max(0, this.#socket.write(this.#unsent as Uint8Array<ArrayBuffer>));
      this.bytesSent += taken;
      this.#unsent = this.#unsent.subarray(taken);
    }
    if (!this.isSent || !this.#endsWhenSent) return;
    this.#endsWhenSent = false;
    this.#socket.shutdown();
  }
}

export type OriginScript = (connection: OriginConnection) => void | Promise<void>;

export interface OriginOptions {
  /** 127.0.0.1 by default. */
  readonly hostname?: string;
  readonly port?: number;
  readonly certificate?: Certificate;
}

export class HttpOrigin {
  readonly connections: OriginConnection[] = [];
  readonly #listener: Bun.TCPSocketListener<OriginConnection>;

  /** @param script is run for each connection that is accepted */
  constructor(script: OriginScript = () => {}, { hostname = "127.0.0.1", port = 0, certificate }: OriginOptions = {}) {
    const begin = (connection: OriginConnection) => {
      connection.hasBegun = true;
      void script(connection);
    };
    this.#listener = Bun.listen<OriginConnection>({
      hostname,
      port,
      allowHalfOpen: true,
      ...(certificate && { tls: { key: Bun.file(certificate.keyFile), cert: Bun.file(certificate.file) } }),
      socket: {
        open: (socket) => {
          const connection = new OriginConnection(socket);
          socket.data = connection;
          this.connections.push(connection);
          if (!certificate) begin(connection);
        },
        handshake: ({ data }, success) => {
          if (success) begin(data);
        },
        data: ({ data }, piece) => data.receive(piece),
        drain: ({ data }) => data.flush(),
        end: ({ data }) => {
          data.state = "ended";
        },
        close: ({ data }) => {
          data.state = "closed";
        },
        error() {},
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Waits until the script of the `n`th connection has begun: a client may know of a TLS handshake before we do. */
  async connection(n = 1): Promise<OriginConnection> {
    await until(() => this.connections[n - 1]?.hasBegun === true, WAIT_MS, `connection ${n}`);
    return this.connections[n - 1]!;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

/** A self-signed certificate and its key, in files of one directory. */
export interface Certificate {
  readonly file: string;
  readonly keyFile: string;
}

/** Those that `NewCertificate` has made, as another process sees them. */
export function certificateAt(file: string): Certificate {
  return { file, keyFile: join(dirname(file), "key.pem") };
}

/** Makes a certificate, which is gone when it is disposed of. */
export class NewCertificate implements Certificate {
  readonly file: string;
  readonly keyFile: string;

  /** @param names as openssl writes them: `DNS:localhost`, `IP:127.0.0.1` */
  constructor(names: readonly string[]) {
    this.file = join(mkdtempSync(join(tmpdir(), "certificate-")), "certificate.pem");
    this.keyFile = certificateAt(this.file).keyFile;
    const { success, stderr } = Bun.spawnSync([
      ...["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-days", "2", "-subj", "/CN=test", "-addext", `subjectAltName=${names.join(",")}`],
      ...["-keyout", this.keyFile, "-out", this.file],
    ]);
    if (!success) throw new Error(`openssl: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(dirname(this.file), { recursive: true, force: true });
  }
}

/** An address of which every packet vanishes: whoever connects waits for ever. Linux only. */
export class BlackHole {
  readonly port: number;
  readonly #descriptors: readonly number[];

  /** @param port of 127.0.0.1, on which nothing listens */
  constructor(port: number) {
    this.port = port;
    const address = socketAddress({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1) }, port);
    const { symbols } = dlopen("libc.so.6", {
      connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
      listen: { args: ["i32", "i32"], returns: "i32" },
    });
    const [listener, first, second] = [0, 1, 2].map(() => openSocket(AF_INET, SOCK_STREAM)) as [number, number, number];
    this.#descriptors = [listener, first, second];
    setOption(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bindSocket(listener, address);
    if (symbols.listen(listener, 0) !== 0) throw new Error("listen was refused");
    // These two fill the queue of a listener that accepts nobody. From then on the kernel drops each SYN.
    for (const fd of [first, second]) symbols.connect(fd, address, address.length);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#descriptors) closeSocket(fd);
  }
}
