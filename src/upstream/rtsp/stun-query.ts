/** Asks a STUN server how the outside sees our media port (RFC 8489; rtsp.md section 8). */
import type { Memory } from "../../system/memory.ts";
import { resolveHost } from "../../system/resolve.ts";
import type { AddressedSink, UdpSocket } from "../../system/udp-socket.ts";
import { type IpAddress, isSameAddress } from "../../wire/ip/address.ts";
import {
  emitBindingRequest,
  isStun,
  type MappedAddress,
  parseBindingResponse,
  STUN_TRANSACTION_ID_BYTES,
} from "../../wire/ip/stun.ts";

const ATTEMPTS = 3;
const ATTEMPT_MS = 1000;
/** How often the socket is looked at meanwhile: it is not in the event loop. */
const LOOK_MS = 10;

export interface StunServer {
  readonly host: string;
  readonly port: number;
}

export class StunQuery implements AddressedSink {
  readonly #socket: UdpSocket;
  readonly #server: StunServer;
  readonly #onSettled: (mapped: MappedAddress | undefined) => void;
  #state: "asking" | "settled" = "asking";
  #address: IpAddress | undefined;
  /** Transaction ids of all attempts: a late answer is as good. */
  readonly #outstanding: Uint8Array[] = [];
  #mapped: MappedAddress | undefined;
  #attempts = 0;
  readonly #looking: Timer;
  readonly #attempting: Timer;
  readonly #resolving = new AbortController();

  /** @param onSettled called once, unless it is closed before; undefined when no server answered within 3 s */
  constructor(socket: UdpSocket, server: StunServer, onSettled: (mapped: MappedAddress | undefined) => void) {
    this.#socket = socket;
    this.#server = server;
    this.#onSettled = onSettled;
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#attempting = setInterval(() => this.#attempt(), ATTEMPT_MS);
    resolveHost(server.host, { signal: this.#resolving.signal }).then(
      (addresses) => this.#resolved(addresses.find(({ family }) => family === socket.family)),
      () => this.#resolved(undefined),
    );
  }

  close(): void {
    this.#state = "settled";
    this.#resolving.abort();
    clearInterval(this.#looking);
    clearInterval(this.#attempting);
  }

  /** Only whom we have asked answers. */
  datagram({ bytes }: Memory, offset: number, length: number, from: IpAddress, port: number): void {
    if (port !== this.#server.port || !this.#address || !isSameAddress(from, this.#address)) return;
    if (!isStun(bytes, offset, length)) return;
    this.#mapped ??= parseBindingResponse(bytes.subarray(offset, offset + length), this.#outstanding);
  }

  #resolved(address: IpAddress | undefined): void {
    this.#address = address;
    if (!address) this.#settle();
    else if (this.#attempts === 0) this.#attempt();
  }

  /** A name that resolves slowly costs attempts: the limit is on all of it. */
  #attempt(): void {
    if (this.#state === "settled") return;
    if (this.#attempts++ === ATTEMPTS) {
      this.#settle();
      return;
    }
    if (!this.#address) return;
    const id = crypto.getRandomValues(new Uint8Array(STUN_TRANSACTION_ID_BYTES));
    this.#outstanding.push(id);
    this.#socket.send(emitBindingRequest(id), this.#address, this.#server.port);
  }

  #look(): void {
    this.#socket.receiveFrom(this);
    if (this.#mapped) this.#settle();
  }

  #settle(): void {
    if (this.#state === "settled") return;
    this.close();
    this.#onSettled(this.#mapped);
  }
}
