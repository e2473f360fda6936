/** A small RTSP server on loopback that plays one clip for ever, live or from a time in the past: what the demo relays by RTSP. */

import { UdpPair } from "../system/udp-pair.ts";
import { parseIpAddress } from "../wire/ip/address.ts";
import type { LoopClip } from "../wire/mpegts/loop.ts";
import { type ConnectionParent, SourceConnection, type SourceSocket } from "./rtsp-connection.ts";

const MAX_SESSIONS = 16;
/** Who has no session may still ask what there is. */
const MAX_CONNECTIONS = 2 * MAX_SESSIONS;
const LOOPBACK = "127.0.0.1";
const TICK_MS = 10;
/** Only reports come to our UDP ports, and nobody reads them. */
const RECEIVE_BUFFER_BYTES = 64 * 1024;

export class RtspSource implements ConnectionParent {
  readonly clip: LoopClip;
  readonly title: string;
  readonly path = "/live";
  readonly udp = openPorts();
  readonly #connections = new Set<SourceConnection>();
  readonly #sessions = new Set<SourceConnection>();
  readonly #listener: Bun.TCPSocketListener<SourceConnection | undefined>;
  #timer: Timer | undefined;

  /** Listens on a free port until `stop`. Throws the system's error when there is no loopback interface. */
  constructor(title: string, clip: LoopClip) {
    this.title = title;
    this.clip = clip;
    this.#listener = Bun.listen<SourceConnection | undefined>({
      hostname: LOOPBACK,
      port: 0,
      data: undefined,
      socket: {
        open: (socket) => this.#accept(socket),
        data: ({ data }, piece) => data?.received(piece),
        drain: ({ data }) => data?.drained(),
        close: ({ data }) => this.#closed(data),
        error: () => {},
      },
    });
  }

  get url(): string {
    return `rtsp://${LOOPBACK}:${this.#listener.port}${this.path}`;
  }

  admit(connection: SourceConnection): boolean {
    if (this.#sessions.size === MAX_SESSIONS) return false;
    this.#sessions.add(connection);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return true;
  }

  released(connection: SourceConnection): void {
    this.#sessions.delete(connection);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  stop(): void {
    this.#listener.stop(true);
    for (const connection of this.#connections) this.#closed(connection);
    this.udp?.close();
  }

  #accept(socket: SourceSocket): void {
    if (this.#connections.size === MAX_CONNECTIONS) {
      socket.terminate();
      return;
    }
    socket.data = new SourceConnection(socket, this);
    this.#connections.add(socket.data);
  }

  #closed(connection: SourceConnection | undefined): void {
    if (connection && this.#connections.delete(connection)) connection.closed();
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const connection of this.#sessions) connection.tick(nowMs);
  }
}

/** Without libc there are none, and media go by TCP alone. */
function openPorts(): UdpPair | undefined {
  try {
    const address = parseIpAddress(LOOPBACK)!;
    return new UdpPair({ address, receiveBufferBytes: RECEIVE_BUFFER_BYTES, interfaceName: undefined });
  } catch {
    return undefined;
  }
}
