/** A small server of fast channel change on loopback for one group, in the telecom dialect (fcc.md sections 4 and 9). */

import {
  emitTelecomNotice,
  emitTelecomResponse,
  parseTelecomRequest,
  parseTelecomTermination,
  TELECOM_ACTION,
} from "../wire/fcc/telecom.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { sequenceDifference } from "../wire/rtp/packet.ts";
import type { MulticastChannel } from "./channels.ts";
import { PacketHistory } from "./packet-history.ts";

const MAX_SESSIONS = 16;
const LOOPBACK = "127.0.0.1";
const TICK_MS = 5;
/** A burst begins with so much of the media at once, and goes on by this factor faster than they were sent. */
const HEAD_START_MS = 100;
const BURST_FACTOR = 1.5;
/** Who has not taken leave after this time has gone without it. A relay joins after 15 s at the latest. */
const SESSION_MS = 20_000;
const VALIDITY_S = 60;
const RESULT = { success: 0, refused: 1 };
const UNCHANGED: IpAddress = parseIpAddress("0.0.0.0")!;

interface Session {
  readonly address: string;
  readonly port: number;
  readonly startedMs: number;
  /** The datagram to begin with. */
  readonly first: number;
  state:
    | "bursting"
    /** It has been sent all there is, and gets the rest as the group does. */
    | "following";
  next: number;
  /** The last datagram that it wants. */
  last: number;
}

export class FccServer {
  readonly #group: IpAddress;
  readonly #groupPort: number;
  readonly #history = new PacketHistory();
  readonly #sessions = new Map<string, Session>();
  #socket: Bun.udp.Socket<"buffer"> | undefined;
  /** Runs while there are sessions. */
  #timer: Timer | undefined;

  private constructor({ group, port }: Pick<MulticastChannel, "group" | "port">) {
    this.#group = parseIpAddress(group)!;
    this.#groupPort = port;
  }

  /** Listens on a free port until `stop`. Rejects with the system's error when there is no loopback interface. */
  static async open(channel: Pick<MulticastChannel, "group" | "port">): Promise<FccServer> {
    const server = new FccServer(channel);
    server.#socket = await Bun.udpSocket({
      hostname: LOOPBACK,
      socket: {
        data: (_socket, message, port, address) => server.#received(message, address, port),
        // Without a handler an ICMP error would end the process.
        error() {},
      },
    });
    return server;
  }

  /** Value of `fcc` in a URL. */
  get address(): string {
    return `${LOOPBACK}:${this.#socket?.port}`;
  }

  /**
   * Takes a datagram that is sent to the group. Its memory may be used again.
   * @param nowMs of `performance.now`
   */
  broadcast(datagram: Uint8Array, nowMs: number): void {
    this.#history.add(datagram, nowMs);
    for (const session of this.#sessions.values()) if (session.state === "following") this.#advance(session, nowMs);
  }

  stop(): void {
    for (const session of this.#sessions.values()) this.#end(session);
    this.#socket?.close();
  }

  #received(message: Uint8Array, address: string, port: number): void {
    const request = parseTelecomRequest(message);
    if (request) {
      const isOurs = request.groupPort === this.#groupPort && isSame(request.group, this.#group);
      this.#requested(address, port, isOurs);
      return;
    }
    const termination = parseTelecomTermination(message);
    const session = this.#sessions.get(keyOf(address, port));
    if (!termination || !session) return;
    if (termination.sequence === undefined) this.#end(session);
    else this.#endBehind(session, termination.sequence);
  }

  /** A request comes in three copies; each is answered, the first begins a session. */
  #requested(address: string, port: number, isOurs: boolean): void {
    const session = isOurs ? (this.#sessions.get(keyOf(address, port)) ?? this.#begin(address, port)) : undefined;
    const response = {
      group: this.#group,
      result: isOurs ? RESULT.success : RESULT.refused,
      action: session ? TELECOM_ACTION.unicast : TELECOM_ACTION.join,
      signallingPort: 0,
      mediaPort: 0,
      server: UNCHANGED,
      validityS: VALIDITY_S,
      burstRate: 0,
      steadyRate: 0,
    };
    this.#send(emitTelecomResponse(response), address, port);
    if (session) this.#advance(session, performance.now());
  }

  /** Undefined when there is nothing to send yet, or too much to do. */
  #begin(address: string, port: number): Session | undefined {
    const first = this.#history.entry;
    if (first === undefined || this.#sessions.size === MAX_SESSIONS) return undefined;
    const startedMs = performance.now();
    const last = Number.POSITIVE_INFINITY;
    const session: Session = { address, port, startedMs, first, state: "bursting", next: first, last };
    this.#sessions.set(keyOf(address, port), session);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return session;
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const session of this.#sessions.values()) {
      if (nowMs - session.startedMs >= SESSION_MS) this.#end(session);
      else this.#advance(session, nowMs);
    }
  }

  /** Sends what is due. Having caught up with the group, it tells the client to join. */
  #advance(session: Session, nowMs: number): void {
    const { address, port } = session;
    const history = this.#history;
    const isBurst = session.state === "bursting";
    const dueMs = isBurst
      ? history.sentMs(session.first) + HEAD_START_MS + (nowMs - session.startedMs) * BURST_FACTOR
      : nowMs;
    for (; session.next < history.end && session.next <= session.last; session.next++) {
      if (history.sentMs(session.next) > dueMs) return;
      this.#send(history.datagram(session.next), address, port);
    }
    if (session.next > session.last) this.#end(session);
    else if (isBurst) {
      session.state = "following";
      this.#send(emitTelecomNotice(this.#group), address, port);
    }
  }

  #endBehind(session: Session, sequence: number): void {
    const newest = this.#history.end - 1;
    session.last = newest + sequenceDifference(sequence, sequenceOf(this.#history.datagram(newest)));
    if (session.next > session.last) this.#end(session);
  }

  #end({ address, port }: Session): void {
    this.#sessions.delete(keyOf(address, port));
    if (this.#sessions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A datagram that the system refuses is lost, as it would be on a network. */
  #send(bytes: Uint8Array, address: string, port: number): void {
    try {
      this.#socket?.send(bytes, port, address);
    } catch {}
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}

function isSame(a: IpAddress, b: IpAddress): boolean {
  return formatIpAddress(a) === formatIpAddress(b);
}

function sequenceOf(datagram: Uint8Array): number {
  return (datagram[2]! << 8) | datagram[3]!;
}
