/** One RTSP session as an upstream, from the name of the server to TEARDOWN (rtsp.md). */
import type {
  ArrivalCounts,
  RtpCounts,
  StreamInfo,
  Upstream,
  UpstreamAbout,
  UpstreamError,
  UpstreamParent,
  UpstreamResponse,
} from "../../relay/upstream.ts";
import { RECEIVER_KIND } from "../../system/datagram-receiver.ts";
import type { Log } from "../../system/log.ts";
import { allocate } from "../../system/memory.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { CLIENT_STATE, type ClientState } from "../../wire/status/client-state.ts";
import { LossReport } from "../rtp/loss-report.ts";
import { EndWatch } from "./end-watch.ts";
import { ClosedError, NoMediaError } from "./errors.ts";
import {
  Handshake,
  type HandshakeOptions,
  type HandshakeParent,
  type HandshakeRequest,
  type HandshakeStage,
} from "./handshake.ts";
import { Keepalive, type KeepaliveMethod } from "./keepalive.ts";
import { type EarlyFrames, InterleavedMedia, type RtspMedia, UdpMedia } from "./media.ts";
import type { RtspConnection } from "./rtsp-connection.ts";

const HOUSEKEEPING_MS = 1000;
/** Decimals of the answer to a question for the duration (rtsp.md section 9.5). */
const DURATION_DIGITS = 3;
const JSON_RESPONSE: UpstreamResponse = { status: 200, headers: [["Content-Type", "application/json"]] };

const STATES: Readonly<Record<HandshakeStage, ClientState>> = {
  connecting: CLIENT_STATE.rtspConnecting,
  reconnecting: CLIENT_STATE.rtspReconnecting,
  options: CLIENT_STATE.rtspAwaitingOptions,
  "awaiting-stun": CLIENT_STATE.rtspSendingDescribe,
  describe: CLIENT_STATE.rtspAwaitingDescribe,
  setup: CLIENT_STATE.rtspAwaitingSetup,
  play: CLIENT_STATE.rtspAwaitingPlay,
};

export interface RtspTarget extends Pick<HandshakeRequest, "url" | "range"> {
  /** `info` and `duration` are answered by the description alone. */
  readonly wants: "media" | "info" | "duration";
  /** Before the server has chosen UDP. */
  readonly about: UpstreamAbout;
}

type State =
  | "handshake"
  /** PLAY was answered. */
  | "awaiting-media"
  | "playing"
  /** The parent has been told. */
  | "ended"
  | "closed";

export class RtspUpstream implements Upstream, HandshakeParent {
  readonly #target: RtspTarget;
  readonly #parent: UpstreamParent;
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #handshake: Handshake;
  readonly #keepalive = new Keepalive((method) => this.#keepAlive(method));
  #state: State = "handshake";
  #timer: Timer | undefined;
  #connection: RtspConnection | undefined;
  #media: RtspMedia | undefined;
  #lossReport: LossReport | undefined;
  readonly #endWatch = new EndWatch();
  #keptHouseAt = 0;
  #isMeasured = false;

  constructor(target: RtspTarget, options: HandshakeOptions, parent: UpstreamParent, log: Log) {
    this.#target = target;
    this.#parent = parent;
    this.#log = log;
    this.#timeoutMs = options.timeoutMs;
    const purpose = target.wants === "media" ? "play" : "describe";
    this.#handshake = new Handshake({ ...target, purpose }, options, this, log);
  }

  get about(): UpstreamAbout {
    const { about } = this.#target;
    return this.#media?.transport === "udp" ? { ...about, kind: "rtsp-udp", receiver: RECEIVER_KIND } : about;
  }

  get info(): StreamInfo {
    const metadata = this.#handshake.info.metadata(this.#media?.input.payloadKind);
    return this.#target.wants === "duration" ? { metadata, response: JSON_RESPONSE } : { metadata };
  }

  get rtp(): RtpCounts | undefined {
    return this.#media?.input.reorder.counts;
  }

  get arrival(): ArrivalCounts | undefined {
    return this.#media?.arrival;
  }

  measureArrival(isMeasured: boolean): void {
    this.#isMeasured = isMeasured;
    this.#media?.measureArrival?.(isMeasured);
  }

  get tickMs(): number {
    return this.#media?.tickMs ?? HOUSEKEEPING_MS;
  }

  tick(now: number): void {
    this.#media?.tick(now);
    this.#lookForMedia();
    if (now - this.#keptHouseAt < HOUSEKEEPING_MS || this.#state === "closed") return;
    this.#keptHouseAt = now;
    this.#media?.housekeep();
    if (this.#media) this.#lossReport?.report(this.#media.input);
    this.#lookForEnd(now);
  }

  /** Releases everything at once. The server is told later, if it must be. */
  close(): void {
    if (this.#state === "closed") return;
    if (this.#connection) this.#log.info(`${this.#server}: left`);
    this.#enter("closed");
    this.#media?.close();
    if (this.#media) this.#lossReport?.end(this.#media.input);
    this.#keepalive.stop();
    this.#handshake.close();
  }

  entered(stage: HandshakeStage): void {
    this.#parent.entered(STATES[stage]);
  }

  described(): void {
    if (this.#target.wants === "info") this.#parent.opened();
    else {
      const endS = this.#handshake.info.endS ?? -1;
      const json = Buffer.from(`{"duration": "${endS.toFixed(DURATION_DIGITS)}"}`);
      const memory = allocate(json.length);
      memory.bytes.set(json);
      this.#parent.append(memory, 0, json.length);
    }
    this.#end(undefined);
  }

  played(connection: RtspConnection, early: EarlyFrames | undefined): void {
    const { requests, udp } = this.#handshake;
    this.#connection = connection;
    this.#lossReport = new LossReport(this.#server, this.#log);
    this.#enter("awaiting-media");
    this.#parent.entered(CLIENT_STATE.rtspPlaying);
    this.#keepalive.start(requests.timeoutS);
    // Over TCP the connection tells that there is something to read, ports tell nothing.
    if (early) this.#media = new InterleavedMedia(this.#parent, connection, early);
    else if (udp.pair) {
      this.#parent.cannotPause();
      this.#media = new UdpMedia(this.#parent, udp.pair, udp, this.#server, this.#log);
      this.#media.measureArrival?.(this.#isMeasured);
      this.#parent.wake();
    }
  }

  failed(cause: UpstreamError): void {
    if (this.#state === "ended" || this.#state === "closed") return;
    this.#log.error(cause.message);
    this.#parent.entered(CLIENT_STATE.error);
    this.#end(cause);
  }

  readable(): void {
    this.#media?.readable();
  }

  over(reason: string): void {
    this.#lookForMedia();
    if (this.#state === "playing") {
      this.#log.info(`${this.#server}: ${reason}`);
      this.#end(undefined);
    } else this.failed(new ClosedError(this.#server, this.#state, reason));
  }

  get #server(): string {
    return this.#handshake.server;
  }

  /** The only place that changes the state. */
  #enter(state: State): void {
    clearTimeout(this.#timer);
    this.#state = state;
    if (state === "awaiting-media") this.#timer = setTimeout(() => this.#noMedia(), this.#timeoutMs);
  }

  #lookForMedia(): void {
    if (this.#state !== "awaiting-media" || !this.#media?.received) return;
    this.#enter("playing");
    this.#log.info(`${this.#server}: playing (${this.#media.transport === "udp" ? "UDP" : "interleaved"})`);
  }

  #lookForEnd(now: number): void {
    const reason = this.#state === "playing" && this.#media ? this.#endWatch.observe(now, this.#media) : undefined;
    if (reason !== undefined) this.over(reason);
  }

  #noMedia(): void {
    this.failed(new NoMediaError(this.#server, this.#media?.transport ?? "tcp", this.#timeoutMs));
  }

  /** Clients get what they are owed. */
  #end(cause: UpstreamError | undefined): void {
    this.#enter("ended");
    this.#media?.finish();
    this.#parent.ended(cause);
  }

  #keepAlive(method: KeepaliveMethod): void {
    const { requests, sessionUrl, udp } = this.#handshake;
    if (requests.hasSession) {
      this.#connection?.ask(method, sessionUrl, [], (response) => this.#keptAlive(method, response));
    }
    udp.punch();
  }

  #keptAlive(method: KeepaliveMethod, response: RtspResponse): void {
    const { status, reason } = response;
    const isChallenge = status === 401 && this.#handshake.requests.challenged(response) === undefined;
    this.#keepalive.answered(method, status !== 200 && !isChallenge);
    if (isChallenge) this.#keepalive.send();
    else if (status !== 200)
      this.#log.debug(`${this.#server}: keepalive by ${method} answered with ${status} ${reason}`);
  }
}
