/** One RTSP session for one client, from the name of the server to TEARDOWN (rtsp.md). */
import type { Upstream, UpstreamParent } from "../../relay/stream.ts";
import type { Log } from "../../system/log.ts";
import type { Memory } from "../../system/memory.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import type { ChosenTransport } from "../../wire/rtsp/transport.ts";
import type { ReorderCounts } from "../rtp/reorder.ts";
import { ClosedError, NoMediaError, RefusedError, type RtspError, UnauthorizedError } from "./errors.ts";
import { Handshake, type HandshakeParent, type HandshakeRequest, type HandshakeStage } from "./handshake.ts";
import { InterleavedSource } from "./interleaved.ts";
import { Keepalive } from "./keepalive.ts";
import type { RtspConnection } from "./rtsp-connection.ts";
import type { RtspStreamInfo } from "./stream-info.ts";
import { UdpMedia, type UdpMediaOwner } from "./udp-media.ts";
import type { UdpTransportOptions } from "./udp-transport.ts";

/** For resolving, for each address, for each answer, and for the first media. */
const STAGE_TIMEOUT_MS = 3000;
/** What may come before PLAY is answered. */
const MAX_EARLY_BYTES = 1024 * 1024;

export interface RtspOptions extends UdpTransportOptions {
  readonly userAgent: string;
  readonly stageTimeoutMs?: number;
  /** Addresses of a host name in the order in which to try them. */
  readonly resolve?: (host: string) => Promise<readonly IpAddress[]>;
}

export type RtspStage = HandshakeStage | "playing";

/** What is counted of the RTP packets of a session. */
export type RtspCounts = Readonly<ReorderCounts>;

export interface RtspSessionParent {
  entered(stage: RtspStage): void;
  /** A session that only had to `describe` has done so: `info` tells. */
  described(): void;
  /** Media has come on the control connection and is to be read from `source`, which may be over at any time. */
  interleaved(source: InterleavedSource): void;
  /** Media will come to UDP ports, for a stream that `open` opens. */
  datagrams(open: (parent: UpstreamParent) => Upstream): void;
  /** Nothing of all that. */
  failed(cause: RtspError): void;
}

type State =
  | "handshake"
  /** PLAY was answered. */
  | "awaiting-media"
  | "playing"
  | "closed";

export class RtspSession implements HandshakeParent, UdpMediaOwner {
  readonly #parent: RtspSessionParent;
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #handshake: Handshake;
  readonly #keepalive = new Keepalive((method) => this.#keepAlive(method));
  #state: State = "handshake";
  #timer: Timer | undefined;
  #control: RtspConnection | undefined;
  #source: InterleavedSource | undefined;
  #udpMedia: UdpMedia | undefined;
  #hasMedia = false;
  /** The parent has the source. */
  #isHandedOver = false;

  constructor(request: HandshakeRequest, options: RtspOptions, parent: RtspSessionParent, log: Log) {
    this.#parent = parent;
    this.#log = log;
    this.#timeoutMs = options.stageTimeoutMs ?? STAGE_TIMEOUT_MS;
    this.#handshake = new Handshake(request, { ...options, timeoutMs: this.#timeoutMs }, this, log);
  }

  get server(): string {
    return this.#handshake.server;
  }

  get info(): RtspStreamInfo {
    return this.#handshake.learned.info((this.#source ?? this.#udpMedia)?.input.payloadKind);
  }

  /** Undefined before there is a way for media. */
  get counts(): RtspCounts | undefined {
    return (this.#source ?? this.#udpMedia)?.input.reorder.counts;
  }

  /** Releases everything at once. The server is told later, if it must be. Harmless when repeated. */
  close(): void {
    if (this.#state === "closed") return;
    if (this.#state !== "handshake") this.#log.info(`${this.server}: left`);
    this.#enter("closed");
    this.#keepalive.stop();
    this.#handshake.close();
    this.#source?.finish();
  }

  /** The only place that changes the state. */
  #enter(state: State): void {
    clearTimeout(this.#timer);
    this.#state = state;
    if (state === "awaiting-media") this.#timer = setTimeout(() => this.#noMedia(), this.#timeoutMs);
  }

  #noMedia(): void {
    const transport = this.#source ? "tcp" : "udp";
    this.#fail(new NoMediaError(this.server, transport, this.#timeoutMs));
  }

  entered(stage: HandshakeStage): void {
    this.#parent.entered(stage);
  }

  described(): void {
    this.close();
    this.#parent.described();
  }

  setUp(transport: ChosenTransport["kind"]): void {
    const control = {
      read: (length: number) => this.#control?.read(length) ?? -1,
      waitReadable: () => this.#control?.waitReadable(),
    };
    this.#source = transport === "tcp" ? new InterleavedSource(control) : undefined;
    this.#hasMedia = false;
  }

  played(control: RtspConnection): void {
    const { requests, learned, udp } = this.#handshake;
    this.#control = control;
    this.#enter("awaiting-media");
    this.#parent.entered("playing");
    this.#keepalive.start(learned.methods, requests.timeoutS);
    if (this.#hasMedia) this.mediaCame();
    else if (!this.#source && udp.pair) {
      const { pair } = udp;
      this.#parent.datagrams((parent) => {
        this.#udpMedia = new UdpMedia(parent, pair, this, this.#log, performance.now());
        return this.#udpMedia;
      });
    }
  }

  mediaCame(): void {
    if (this.#state !== "awaiting-media") return;
    this.#enter("playing");
    this.#log.info(`${this.server}: playing (${this.#source ? "interleaved" : "UDP"})`);
    const source = this.#source;
    if (!source) return;
    this.#control?.manual();
    // Not from within the reading that has brought the first frame: the parent will read itself.
    queueMicrotask(() => {
      if (this.#state !== "playing") return;
      this.#isHandedOver = true;
      this.#parent.interleaved(source);
    });
  }

  frame(memory: Memory, offset: number, length: number): void {
    const source = this.#source;
    if (!source) return;
    source.input.datagram(memory, offset, length);
    if (this.#state === "playing") return;
    this.#hasMedia = true;
    if (source.carriedBytes > MAX_EARLY_BYTES) source.forget();
    this.mediaCame();
  }

  readable(): void {
    this.#source?.readable();
  }

  response(response: RtspResponse): void {
    const { status, reason } = response;
    const { requests } = this.#handshake;
    if (status < 200) return;
    if (status === 200) requests.learn(response);
    if (status === 401) {
      const refusal = requests.challenged(response);
      if (refusal === undefined) this.#keepalive.send();
      else this.#fail(new UnauthorizedError(this.server, "keepalive", refusal));
    } else if (!this.#keepalive.accepts(status, requests.answeredCseq(response))) {
      this.#fail(new RefusedError(this.server, "keepalive", status, reason));
    }
  }

  over(reason: string): void {
    if (this.#state !== "playing") {
      this.#fail(new ClosedError(this.server, this.#state, reason));
      return;
    }
    this.#log.info(`${this.server}: ${reason}`);
    this.#udpMedia?.end(undefined);
  }

  failed(cause: RtspError): void {
    this.#fail(cause);
  }

  /** Answers the number of the request. */
  #keepAlive(method: string): number {
    const { requests, requestUrl, udp } = this.#handshake;
    if (requests.hasSession) this.#control?.send(requests.make(method, requestUrl));
    udp.punch();
    return requests.cseq;
  }

  /** Ends the session. A client that has media gets what it is owed. */
  #fail(cause: RtspError): void {
    if (this.#state === "closed") return;
    this.#log.error(cause.message);
    // Its stream closes it, and it closes us.
    if (this.#udpMedia) this.#udpMedia.end(cause);
    else {
      this.close();
      if (!this.#isHandedOver) this.#parent.failed(cause);
    }
  }
}
