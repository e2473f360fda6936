/** The UDP side of a session: its ports, how the outside sees them, and keeping the way to them open (rtsp.md sections 5.4, 7 and 8). */
import { localAddressTowards } from "../../system/local-address.ts";
import type { Log } from "../../system/log.ts";
import type { Reach } from "../../system/reach.ts";
import { resolveHost } from "../../system/resolve.ts";
import { UdpPair } from "../../system/udp-pair.ts";
import { formatIpAddress, type IpAddress, isSameAddress } from "../../wire/ip/address.ts";
import type { MappedAddress } from "../../wire/ip/stun.ts";
import { emitReceiverReport } from "../../wire/rtp/rtcp.ts";
import { type AdvertisedEndpoint, emitRtpPunch, emitZtePunch, formatNatHeader } from "../../wire/rtsp/nat-punch.ts";
import { type ChosenTransport, emitTransportOffers, type UdpOffer } from "../../wire/rtsp/transport.ts";
import type { NamedSenders } from "./media-sender.ts";
import { StunQuery, type StunServer } from "./stun-query.ts";

const PUNCH_ROUNDS = 3;
const STANDARD_PROFILE = /^RTP\/AVP[/;]/;
const WILDCARDS = { 4: { family: 4, bytes: new Uint8Array(4) }, 6: { family: 6, bytes: new Uint8Array(16) } } as const;

export interface UdpTransportOptions {
  readonly receiveBufferBytes: number;
  readonly interfaceName: string | undefined;
  readonly stunServer?: StunServer | undefined;
  readonly reach: Reach;
}

/** Where the server receives. */
interface Destination {
  readonly address: IpAddress;
  readonly rtpPort: number;
  readonly rtcpPort: number | undefined;
}

export class UdpTransport implements NamedSenders {
  /** The ports; undefined while none are open, or none can be. */
  pair: UdpPair | undefined;
  readonly #options: UdpTransportOptions;
  readonly #onStunSettled: () => void;
  readonly #log: Log;
  /** The ports are open on one address of ours. */
  #isBound = false;
  #stun: StunQuery | undefined;
  #mapped: MappedAddress | undefined;
  /** Our end of an IPv4 control connection, which means ZTE mode; undefined for IPv6. */
  #local: IpAddress | undefined;
  #localPort: number | undefined;
  #peer: IpAddress | undefined;
  #destination: Destination | undefined;
  /** Whom the server has named as the source of its media. */
  #named: readonly IpAddress[] = [];

  constructor(options: UdpTransportOptions, onStunSettled: () => void, log: Log) {
    this.#options = options;
    this.#onStunSettled = onStunSettled;
    this.#log = log;
  }

  /** Whether the answer of the STUN server is awaited. */
  get isAsking(): boolean {
    return this.#stun !== undefined;
  }

  /** Asks a STUN server, if there is one, from ports for a server at this address. */
  ask(server: IpAddress): void {
    const { stunServer } = this.#options;
    if (!stunServer || !this.#open(WILDCARDS[server.family])) return;
    this.#stun = new StunQuery(this.pair!.media, stunServer, (mapped) => {
      this.#stun = undefined;
      this.#mapped = mapped;
      if (!mapped)
        this.#log.warn(`STUN server ${stunServer.host}:${stunServer.port} does not answer; check rtsp-stun-server`);
      this.#onStunSettled();
    });
  }

  /**
   * Opens ports that suit the control connection. Those there were are kept, with what STUN said, if they suit it.
   * @param localPort of the control connection, if known
   */
  connected(peer: IpAddress, localPort: number | undefined, opensPorts: boolean): void {
    const local = localAddressTowards(peer, this.#options.interfaceName);
    const hasMoved = this.#local !== undefined && (!local || Buffer.compare(local.bytes, this.#local.bytes) !== 0);
    if (this.pair && (this.pair.family !== peer.family || hasMoved)) this.#forget();
    this.#peer = peer;
    this.#named = [];
    this.#local = local;
    this.#localPort = localPort;
    if (opensPorts && !this.pair) this.#open(local ?? WILDCARDS[peer.family]);
  }

  /** What SETUP offers; undefined without ports. */
  get offer(): UdpOffer | undefined {
    const { pair } = this;
    if (!pair) return undefined;
    const endpoint = this.#advertised();
    const rtpPort = this.#mapped?.port ?? pair.port;
    return { rtpPort, clientAddress: endpoint && formatIpAddress(endpoint.address) };
  }

  /** The value of `x-NAT`; undefined outside ZTE mode, and while no port is known. */
  get natHeader(): string | undefined {
    const endpoint = this.#advertised();
    return endpoint && endpoint.controlPort > 0 ? formatNatHeader(endpoint) : undefined;
  }

  /** The server sends over UDP: opens the way for it. */
  async chosen({ source, rtpPort, rtcpPort }: ChosenTransport & { kind: "udp" }): Promise<void> {
    const named = source === undefined ? [] : await resolveHost(source).catch(() => []);
    this.#named = named;
    if (rtpPort === undefined) return;
    const suitable = named.find(({ family }) => family === this.#peer?.family) ?? named[0];
    const address = suitable ?? (this.#peer?.family === 4 ? this.#peer : undefined);
    if (!address || this.#isForbidden(source ?? formatIpAddress(address), address, [rtpPort, rtcpPort ?? rtpPort]))
      return;
    this.#destination = { address, rtpPort, rtcpPort };
    this.punch();
  }

  /** The server itself may send, whomever it names: many name an address that only they know. */
  get senders(): readonly IpAddress[] {
    return this.#peer ? [this.#peer, ...this.#named] : this.#named;
  }

  /** Ports on a wildcard are heard by the address that leads to the sender, which is ours to the server only if he is the server. */
  canHearOnly(sender: IpAddress): boolean {
    return this.#isBound || (this.#peer !== undefined && isSameAddress(sender, this.#peer));
  }

  #isForbidden(host: string, address: IpAddress, ports: readonly number[]): boolean {
    const problem = ports.map((port) => this.#options.reach.datagrams({ host, address, port })).find((each) => each);
    if (problem) this.#log.warn(`No way is opened for RTSP over UDP: ${problem.reason}`);
    return problem !== undefined;
  }

  /** Opens the way again, or keeps it open. */
  punch(): void {
    const { pair } = this;
    if (!pair || !this.#destination) return;
    const { address, rtpPort, rtcpPort } = this.#destination;
    const endpoint = this.#advertised();
    const datagram = endpoint ? emitZtePunch(endpoint) : emitRtpPunch();
    const report = emitReceiverReport();
    for (let round = 0; round < PUNCH_ROUNDS; round++) {
      pair.media.send(datagram, address, rtpPort);
      if (rtcpPort !== undefined) pair.control.send(report, address, rtcpPort);
    }
  }

  close(): void {
    this.#forget();
    this.#destination = undefined;
  }

  /** The address that the outside knows us by belongs to ports that are closed. */
  #forget(): void {
    this.#stun?.close();
    this.#stun = undefined;
    this.#mapped = undefined;
    this.pair?.close();
    this.pair = undefined;
  }

  #advertised(): AdvertisedEndpoint | undefined {
    if (!this.#local) return undefined;
    const mapped = this.#mapped;
    const rtpPort = mapped?.port ?? this.pair?.port ?? 0;
    return {
      address: mapped?.address.family === 4 ? mapped.address : this.#local,
      rtpPort,
      controlPort: mapped?.port ?? this.#localPort ?? rtpPort,
    };
  }

  /** Without ports only TCP is offered. */
  #open(address: IpAddress): boolean {
    const { receiveBufferBytes, interfaceName } = this.#options;
    try {
      this.pair = new UdpPair({ address, receiveBufferBytes, interfaceName });
      this.#isBound = address !== WILDCARDS[address.family];
      return true;
    } catch (error) {
      this.#log.warn(`No UDP ports for RTSP, so only TCP is offered: ${(error as Error).message}`);
      return false;
    }
  }
}

/**
 * Values of `Transport`, in the order in which to try them: all at once, as the servers of providers want it; then the standard
 * ones alone, because GStreamer and VLC look at the first of a list only and refuse it with 461.
 */
export function transportCandidates(udp: UdpOffer | undefined): string[] {
  const plain = emitTransportOffers(udp && { ...udp, clientAddress: undefined });
  return [emitTransportOffers(udp), ...plain.split(",").filter((offer) => STANDARD_PROFILE.test(offer))];
}
