/** One dialect's sockets, and what goes over them between us and an FCC server (fcc.md sections 2, 7 and 8). */
import { interfaceAddress } from "../../system/interfaces.ts";
import { localAddressTowards } from "../../system/local-address.ts";
import type { Memory } from "../../system/memory.ts";
import type { Reach } from "../../system/reach.ts";
import type { AddressedSink, UdpSocket } from "../../system/udp-socket.ts";
import { isFccSignalling } from "../../wire/fcc/packet.ts";
import { formatIpAddress, type IpAddress, isSameAddress, parseIpAddress } from "../../wire/ip/address.ts";
import type { Dialect, ServerMessage, ServerRoute } from "./dialect.ts";
import { type FccPortOptions, type FccPorts, openFccPorts } from "./ports.ts";

/** Of each packet: there is no other retransmission. */
const COPIES = 3;
const MAX_REDIRECTS = 5;

/** IPv4. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

export interface GroupAddress {
  readonly group: IpAddress;
  readonly groupPort: number;
}

export interface SignallingOptions extends FccPortOptions {
  /** Of the server that is asked first, as the URL has it. */
  readonly serverHost: string;
  readonly reach: Reach;
}

export interface SignallingParent {
  answered(from: Signalling, message: ServerMessage): void;
  /** To be used before the call returns. */
  media(from: Signalling, memory: Memory, offset: number, length: number): void;
  /** An answer from somebody who was not asked is dropped. */
  strangerAnswered(from: Signalling, stranger: IpAddress): void;
}

export class Signalling implements AddressedSink {
  readonly dialect: Dialect;
  /** Whom we asked first; a redirect changes `server` only. */
  readonly asked: Endpoint;
  /** Whether the server knows that we want no more, or never asked it for anything. */
  hasTerminated = true;
  /** It has accepted when nobody wanted it any more, and has been told so. */
  isDismissed = false;
  /** Why nothing is sent to the server: it must not be reached. */
  refusal: string | undefined;
  readonly #parent: SignallingParent;
  readonly #group: GroupAddress;
  readonly #reach: Reach;
  readonly #serverHost: string;
  readonly #ports: FccPorts;
  readonly #client: IpAddress;
  #server: Endpoint;
  /** Who has redirected us: there were three requests, and so may be its answers. */
  readonly #left: IpAddress[] = [];
  #mediaPort: number | undefined;
  /** Another one that sends the media. */
  #mediaServer: Endpoint | undefined;
  /** An answer has named the server's address: whatever comes from another one is dropped. */
  #isNamed = false;
  #isAccepted = false;
  #redirects = 0;

  /** @throws Error when there are no sockets or no local address */
  constructor(
    parent: SignallingParent,
    dialect: Dialect,
    asked: Endpoint,
    group: GroupAddress,
    options: SignallingOptions,
  ) {
    this.#parent = parent;
    this.dialect = dialect;
    this.asked = this.#server = asked;
    this.#group = group;
    this.#reach = options.reach;
    this.#serverHost = options.serverHost;
    const client = localAddress(asked.address, options.interfaceName);
    if (!client) throw new Error("no local IPv4 address");
    this.#client = client;
    this.#ports = openFccPorts(dialect.hasSignallingSocket, options);
  }

  get server(): Endpoint {
    return this.#server;
  }

  /** `10.0.0.1:40000`: where the server sees us, unless a NAT is between. */
  get local(): string {
    return `${formatIpAddress(this.#client)}:${this.#ports.signalling.port}`;
  }

  /** False when nothing could be sent. */
  request(): boolean {
    const channel = { ...this.#group, client: this.#client, signallingPort: this.#ports.signalling.port };
    this.hasTerminated = false;
    return this.#send(this.#ports.signalling, this.dialect.request(channel), this.#server.port);
  }

  /** The server sends unicast: notes from where, and opens the way for it. */
  accept(route: ServerRoute, punch: Uint8Array | undefined): void {
    const before = this.#server;
    const hadMediaPort = this.#mediaPort;
    this.#isAccepted = true;
    this.#adopt(route);
    if (!punch) return;
    const hasMoved = route.address !== undefined && !isSameAddress(route.address, before.address);
    const isMediaNew = this.#mediaPort !== undefined && (hasMoved || this.#mediaPort !== hadMediaPort);
    if (this.dialect.hasSignallingSocket) {
      this.#send(this.#ports.media, punch, this.#mediaPort ?? this.#server.port);
      return;
    }
    if (isMediaNew) this.#send(this.#ports.media, punch, this.#mediaPort!);
    if (hasMoved || this.#server.port !== before.port) this.#send(this.#ports.signalling, punch, this.#server.port);
  }

  /**
   * Asks the server that an answer leads to, from the same sockets.
   * @returns `late` for what only repeats the last redirect, `unreachable` when nothing can be sent there
   */
  follow(route: ServerRoute): "asked" | "late" | "too many" | "unreachable" {
    const target = { address: route.address ?? this.#server.address, port: route.signallingPort ?? this.#server.port };
    if (this.#redirects > 0 && isSameEndpoint(target, this.#server)) return "late";
    if (++this.#redirects > MAX_REDIRECTS) return "too many";
    this.#left.push(this.#server.address);
    this.#adopt({ ...route, address: target.address });
    return this.request() ? "asked" : "unreachable";
  }

  /** Tells the server to stop behind a sequence number, or at once. */
  terminate(sequence: number | undefined): void {
    this.hasTerminated = true;
    const packet = this.dialect.termination({ group: this.#group.group, sequence });
    this.#send(this.#ports.signalling, packet, this.#server.port);
  }

  /** Hands over what has arrived. Signalling first: an answer says what to think of the media. */
  receive(): void {
    const { media, signalling } = this.#ports;
    if (signalling !== media) signalling.receiveFrom(this);
    media.receiveFrom(this);
  }

  datagram(memory: Memory, offset: number, length: number, from: IpAddress, port: number): void {
    const isFromServer = isSameAddress(from, this.#server.address);
    if (!isFccSignalling(memory.bytes, offset, length)) {
      if (isFromServer || this.#isMediaServer(from, port)) this.#parent.media(this, memory, offset, length);
      return;
    }
    const message = this.dialect.read(memory.bytes.slice(offset, offset + length));
    if (!message) return;
    if (isFromServer) this.#parent.answered(this, message);
    else if (!this.#left.some((server) => isSameAddress(from, server))) this.#parent.strangerAnswered(this, from);
  }

  /** Media may come from another machine than the answer, unless that has said from where: from one, the first. */
  #isMediaServer(address: IpAddress, port: number): boolean {
    if (!this.#isAccepted || this.#isNamed) return false;
    this.#mediaServer ??= { address, port };
    return isSameEndpoint(this.#mediaServer, { address, port });
  }

  close(): void {
    this.#ports.media.close();
    this.#ports.signalling.close();
  }

  #adopt({ address, signallingPort, mediaPort }: ServerRoute): void {
    if (address) this.#isNamed = true;
    this.#server = { address: address ?? this.#server.address, port: signallingPort ?? this.#server.port };
    this.#mediaPort = mediaPort ?? this.#mediaPort;
  }

  /** The only place that sends: servers name others, and clients name the first. */
  #send(socket: UdpSocket, packet: Uint8Array, port: number): boolean {
    const { address } = this.#server;
    const host = isSameAddress(address, this.asked.address) ? this.#serverHost : formatIpAddress(address);
    this.refusal = this.#reach.datagrams({ host, address, port })?.reason;
    if (this.refusal !== undefined) return false;
    let isSent = false;
    for (let copy = 0; copy < COPIES; copy++) {
      if (socket.send(packet, address, port)) isSent = true;
    }
    return isSent;
  }
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && isSameAddress(a.address, b.address);
}

export function formatEndpoint({ address, port }: Endpoint): string {
  return `${formatIpAddress(address)}:${port}`;
}

/** What huawei's request must say: the address that packets to the server come from. */
function localAddress(server: IpAddress, interfaceName: string | undefined): IpAddress | undefined {
  const towards = localAddressTowards(server, interfaceName);
  if (towards || interfaceName === undefined) return towards;
  const own = interfaceAddress(interfaceName, 4);
  return own === undefined ? undefined : parseIpAddress(own);
}
