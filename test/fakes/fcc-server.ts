/** A server of fast channel change in both dialects, written from fcc.md, that misbehaves on request. Somebody else's clock drives it. */
import { type AddressedSink, UdpSocket } from "../../src/system/udp-socket.ts";
import { type IpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import type { FaultyLine, FccChannel } from "./fcc-channel.ts";

export interface FccServerOptions {
  readonly dialect: "telecom" | "huawei";
  readonly channel: FccChannel;
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Undefined: none. */
  readonly answerAfterMs?: number | undefined;
  readonly answer?: "unicast" | "join" | "error" | "redirect" | "nonsense";
  /** The burst's rate in rates of the channel. */
  readonly factor?: number;
  /** From the answer to the first media. */
  readonly burstAfterMs?: number;
  readonly line?: FaultyLine;
  /** For `redirect`; asked for each time. */
  readonly redirectTo?: () => { readonly address: string; readonly port: number };
  readonly validityS?: number;
  /** Answers are cut to so many bytes. */
  readonly answerBytes?: number;
  /** Answers, not media, come from this address. */
  readonly answersFrom?: string;
  /** The burst ends behind so many datagrams. */
  readonly stopsAfter?: number;
  readonly sendsNotice?: boolean;
  /** The notice comes when the burst is still so many datagrams behind the group. */
  readonly noticeBehind?: number;
  /** Added to the sequence numbers of the burst. */
  readonly sequenceOffset?: number;
  readonly heedsTermination?: boolean;
  /** Huawei: answers with a session identifier, and sends nothing before it is punched. */
  readonly needsPunch?: boolean;
  /** Telecom: media come from a socket of its own, whose port the answer names. */
  readonly hasMediaPort?: boolean;
}

export interface Received {
  readonly kind: "request" | "termination" | "punch" | "unknown";
  /** Of a termination; undefined: at once. */
  readonly sequence?: number | undefined;
  readonly from: string;
  readonly port: number;
  readonly bytes: Uint8Array;
}

const HUAWEI_SESSION = 0x00c0ffee;
const VERSION_2 = 0x80;
const FEEDBACK = 205;

interface Burst {
  /** Next datagram, and when it began. */
  next: number;
  readonly first: number;
  readonly startsAt: number;
  hasCaughtUp: boolean;
  hasNotified: boolean;
  /** Last one to send. */
  last: number;
}

export class FccServer implements AddressedSink {
  readonly received: Received[] = [];
  /** Datagrams without a byte, which open the way through a NAT: to the socket for signalling, and to that for media. */
  readonly empty = { signalling: 0, media: 0 };
  /** Datagrams of media that have reached the network. */
  readonly arrived = new Set<number>();
  readonly port: number;
  readonly #options: FccServerOptions;
  readonly #socket: UdpSocket;
  readonly #media: UdpSocket;
  readonly #stranger: UdpSocket | undefined;
  #now = 0;
  readonly #answersAt: number[] = [];
  #client: { address: IpAddress; signalling: number; media: number; group: Uint8Array } | undefined;
  #isPunched = false;
  #burst: Burst | undefined;

  constructor(options: FccServerOptions) {
    this.#options = options;
    const address = parseIpAddress(options.address ?? "127.0.0.1")!;
    this.#socket = new UdpSocket({ address });
    this.#media = options.hasMediaPort ? new UdpSocket({ address }) : this.#socket;
    if (options.answersFrom) this.#stranger = new UdpSocket({ address: parseIpAddress(options.answersFrom)! });
    this.port = this.#socket.port;
  }

  get dialect(): FccServerOptions["dialect"] {
    return this.#options.dialect;
  }

  get address(): string {
    return this.#options.address ?? "127.0.0.1";
  }

  /** Value of the URL's `fcc`. */
  get fcc(): string {
    return `${this.address}:${this.port}`;
  }

  count(kind: Received["kind"]): number {
    return this.received.filter((message) => message.kind === kind).length;
  }

  /** The last termination. */
  get termination(): Received | undefined {
    return this.received.findLast(({ kind }) => kind === "termination");
  }

  /** Reads, answers, sends what is due. */
  step(now: number): void {
    this.#now = now;
    this.empty.signalling += this.#read(this.#socket);
    if (this.#media !== this.#socket) this.empty.media += this.#read(this.#media);
    while (this.#answersAt.length > 0 && now >= this.#answersAt[0]!) {
      this.#answersAt.shift();
      this.#answer();
    }
    this.#send();
  }

  /** Sends any bytes to where media are expected. */
  sendRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#client!.address, this.#client!.media);
  }

  close(): void {
    this.#socket.close();
    this.#media.close();
    this.#stranger?.close();
  }

  datagram({ bytes }: { bytes: Uint8Array }, offset: number, length: number, from: IpAddress, port: number): void {
    const message = bytes.slice(offset, offset + length);
    const received = this.#parse(message);
    this.received.push({ ...received, from: from.bytes.join("."), port, bytes: message });
    if (received.kind === "request") this.#requested(message, from);
    else if (received.kind === "punch") this.#isPunched = true;
    else if (received.kind === "termination" && this.#burst && this.#options.heedsTermination !== false) {
      this.#stop(this.#burst, received.sequence);
    }
  }

  /** @returns how many were empty */
  #read(socket: UdpSocket): number {
    const before = this.received.length;
    return socket.receiveFrom(this) - (this.received.length - before);
  }

  #parse(message: Uint8Array): Pick<Received, "kind" | "sequence"> {
    const view = new DataView(message.buffer);
    const isHuawei = this.#options.dialect === "huawei";
    if (isHuawei && message.length === 8 && view.getUint32(0) === 0x00030000 && view.getUint32(4) === HUAWEI_SESSION) {
      return { kind: "punch" };
    }
    if (message.length < 16 || message[1] !== FEEDBACK || view.getUint16(2) !== message.length / 4 - 1) {
      return { kind: "unknown" };
    }
    const type = message[0]! - VERSION_2;
    const atOnce = isHuawei ? 2 : 1;
    if (type === (isHuawei ? 5 : 2) && message.length === (isHuawei ? 32 : 40)) return { kind: "request" };
    if (type === (isHuawei ? 9 : 5) && message.length === 16) {
      return { kind: "termination", sequence: message[12] === atOnce ? undefined : view.getUint16(14) };
    }
    return { kind: "unknown" };
  }

  /** Each copy is answered; the second and third change nothing else. */
  #requested(message: Uint8Array, from: IpAddress): void {
    const { dialect, answerAfterMs } = this.#options;
    const view = new DataView(message.buffer);
    const signalling = view.getUint16(dialect === "huawei" ? 24 : 16);
    if (this.#client?.signalling !== signalling) this.#burst = undefined;
    this.#client = {
      address: from,
      signalling,
      media: dialect === "huawei" ? signalling - 1 : signalling,
      group: message.slice(8, 12),
    };
    if (answerAfterMs !== undefined) this.#answersAt.push(this.#now + answerAfterMs);
  }

  #answer(): void {
    const { dialect, answer = "unicast", channel, burstAfterMs = 0 } = this.#options;
    const { address, signalling } = this.#client!;
    const full = dialect === "huawei" ? this.#huaweiAnswer() : this.#telecomAnswer();
    const bytes = full.subarray(0, this.#options.answerBytes ?? full.length);
    if (bytes.length < full.length && bytes.length >= 4) bytes[3] = Math.max(0, Math.floor(bytes.length / 4) - 1);
    (this.#stranger ?? this.#socket).send(bytes, address, signalling);
    if (answer !== "unicast" || bytes.length < full.length || this.#burst) return;
    const first = channel.keyFrameBefore(channel.indexAt(this.#now));
    const startsAt = this.#now + burstAfterMs;
    const last = first + (this.#options.stopsAfter ?? Number.POSITIVE_INFINITY) - 1;
    this.#burst = { next: first, first, startsAt, hasCaughtUp: false, hasNotified: false, last };
  }

  #header(type: number, length: number): Buffer {
    const packet = Buffer.alloc(length);
    packet[0] = VERSION_2 + type;
    packet[1] = FEEDBACK;
    packet.writeUInt16BE(length / 4 - 1, 2);
    packet.set(this.#client!.group, 8);
    return packet;
  }

  #telecomAnswer(): Buffer {
    const { answer = "unicast", redirectTo, validityS = 60 } = this.#options;
    const packet = this.#header(3, 40);
    packet[12] = answer === "error" ? 7 : 0;
    packet[13] = { join: 1, unicast: 2, redirect: 3, error: 2, nonsense: 9 }[answer];
    packet.writeUInt32BE(validityS, 24);
    if (answer === "unicast" && this.#options.hasMediaPort) packet.writeUInt16BE(this.#media.port, 16);
    if (answer !== "redirect") return packet;
    const { address, port } = redirectTo!();
    packet.writeUInt16BE(port, 14);
    packet.set(parseIpAddress(address)!.bytes, 20);
    return packet;
  }

  #huaweiAnswer(): Buffer {
    const { answer = "unicast", redirectTo, needsPunch } = this.#options;
    const packet = this.#header(6, 36);
    packet[12] = answer === "error" ? 0 : 1;
    packet.writeUInt16BE({ join: 1, unicast: 2, redirect: 3, error: 2, nonsense: 9 }[answer], 14);
    if (needsPunch) {
      packet[24] = 0x20;
      packet.writeUInt32BE(HUAWEI_SESSION, 28);
    }
    if (answer !== "redirect") return packet;
    const { address, port } = redirectTo!();
    packet.writeUInt16BE(port, 26);
    packet.set(parseIpAddress(address)!.bytes, 32);
    return packet;
  }

  #send(): void {
    const burst = this.#burst;
    const { channel, factor = 1.5, needsPunch, sendsNotice = true, noticeBehind = 0, dialect } = this.#options;
    if (!burst || this.#now < burst.startsAt || (needsPunch && !this.#isPunched)) return;
    const live = channel.indexAt(this.#now);
    const fast = burst.first + Math.floor((this.#now - burst.startsAt) * channel.perMs * factor);
    if (fast >= live) burst.hasCaughtUp = true;
    for (const end = burst.hasCaughtUp ? live : fast; burst.next <= Math.min(end, burst.last); burst.next++) {
      this.#sendMedia(burst.next);
    }
    if (live - burst.next >= noticeBehind || burst.hasNotified || !sendsNotice) return;
    burst.hasNotified = true;
    const { address, signalling } = this.#client!;
    this.#socket.send(this.#header(dialect === "huawei" ? 8 : 4, 12), address, signalling);
  }

  #sendMedia(next: number): void {
    const { channel, line, sequenceOffset = 0 } = this.#options;
    const { address, media } = this.#client!;
    for (const index of line?.send(next) ?? [next]) {
      this.#media.send(channel.datagram(index, sequenceOffset), address, media);
      this.arrived.add(index);
    }
  }

  #stop(burst: Burst, sequence: number | undefined): void {
    const { channel, sequenceOffset = 0 } = this.#options;
    const reached = channel.sequenceOf(burst.next - 1) + sequenceOffset;
    const ahead = sequence === undefined ? 0 : ((sequence - reached) << 16) >> 16;
    burst.last = Math.min(burst.last, burst.next - 1 + Math.max(0, ahead));
  }
}
