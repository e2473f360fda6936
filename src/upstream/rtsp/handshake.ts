/** The way to PLAY: asks one thing after the other, proves who we are, follows redirects (rtsp.md sections 2 to 8). */
import { ForbiddenError, UpstreamError } from "../../relay/upstream.ts";
import { type DialError, Dialer, type DialerParent, type DialOptions } from "../../system/dialer.ts";
import type { Log } from "../../system/log.ts";
import { runDetached } from "../../system/task-queue.ts";
import type { TcpSource } from "../../system/tcp-source.ts";
import { type HeaderField, headerValue } from "../../wire/http/header-fields.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { type ChosenTransport, parseChosenTransport } from "../../wire/rtsp/transport.ts";
import { followRedirect, formatRtspUrl, type RtspUrl } from "../../wire/rtsp/url.ts";
import { formatAuthority } from "../../wire/url/authority.ts";
import { type Asking, Attempts } from "./attempts.ts";
import {
  ClosedError,
  NoAnswerError,
  RedirectError,
  RefusedError,
  UnauthorizedError,
  UnreachableError,
  UnresolvedError,
} from "./errors.ts";
import { EarlyFrames } from "./media.ts";
import { Requests } from "./requests.ts";
import { RtspConnection, type RtspConnectionParent } from "./rtsp-connection.ts";
import { SessionInfo } from "./stream-info.ts";
import { Teardown } from "./teardown.ts";
import { transportCandidates, UdpTransport, type UdpTransportOptions } from "./udp-transport.ts";

const MAX_REDIRECTS = 5;
/** The server does not say what it has chosen: then it is what is preferred. */
const DEFAULT_TRANSPORT = "RTP/AVP/TCP";
/** Servers are found that never answer OPTIONS; what they are asked next, they answer. */
const OPTIONS_MS = 1000;
const INVALID_RANGE = 457;

export interface HandshakeOptions extends UdpTransportOptions, DialOptions {
  readonly userAgent: string;
  /** For resolving, for each address, and for each answer. */
  readonly timeoutMs: number;
}

export interface HandshakeRequest {
  readonly url: RtspUrl;
  /** Of PLAY. */
  readonly range: string | undefined;
  /** `describe` asks what there is, and ends. */
  readonly purpose: "play" | "describe";
}

/** How far it has come; an asking stage is named like the request whose answer it awaits. */
export type HandshakeStage = Exclude<State, "over"> | "reconnecting";

export interface HandshakeParent extends RtspConnectionParent {
  entered(stage: HandshakeStage): void;
  /** DESCRIBE was answered, and nothing else is wanted. */
  described(): void;
  /** PLAY was answered. The connection's events are the parent's from now on. */
  played(connection: RtspConnection, early: EarlyFrames | undefined): void;
  failed(cause: UpstreamError): void;
}

type State =
  | "connecting"
  | Asking
  /** OPTIONS was answered, but not yet by the STUN server. */
  | "awaiting-stun"
  | "over";

export class Handshake implements DialerParent, RtspConnectionParent {
  readonly udp: UdpTransport;
  info = new SessionInfo();
  requests: Requests;
  readonly #request: HandshakeRequest;
  readonly #options: HandshakeOptions;
  readonly #parent: HandshakeParent;
  readonly #log: Log;
  #state: State = "connecting";
  /** Of the server that is asked now. */
  #url: RtspUrl;
  #dialer: Dialer | undefined;
  #connection: RtspConnection | undefined;
  /** The server has a session that it must be told the end of. */
  #isSetUp = false;
  #early: EarlyFrames | undefined;
  #redirects = 0;
  #isFirstConnection = true;
  /** The server that a redirect has led to was of no use, and the first one has been asked once more. */
  #hasComeBack = false;
  #attempts = this.#newAttempts();
  /** The first one of those that were followed by something else: it says most. */
  #refusal: RefusedError | undefined;
  #timer: Timer | undefined;

  constructor(request: HandshakeRequest, options: HandshakeOptions, parent: HandshakeParent, log: Log) {
    this.#request = request;
    this.#options = options;
    this.#parent = parent;
    this.#log = log;
    this.#url = request.url;
    this.requests = new Requests(options.userAgent, request.url.credentials);
    this.udp = new UdpTransport(options, () => this.#stunSettled(), log);
    this.#connect();
  }

  /** `rtsp://host:port`, without what may be secret. */
  get server(): string {
    return `rtsp://${formatAuthority(this.#url)}`;
  }

  /** As it stands in request lines. */
  get requestUrl(): string {
    return formatRtspUrl(this.#url);
  }

  /** What the session as a whole is asked by. */
  get sessionUrl(): string {
    return this.#attempts.sessionUrl ?? this.requestUrl;
  }

  /** Ends it, and the connection with it, also after PLAY. A server that has set up a session is told. Harmless when repeated. */
  close(): void {
    this.#enter("over");
    this.udp.close();
    this.#leave();
  }

  /** The only place that changes the state. */
  #enter(state: State): void {
    clearTimeout(this.#timer);
    this.#state = state;
    const isAgain = state === "connecting" && !this.#isFirstConnection;
    if (state !== "over") this.#parent.entered(isAgain ? "reconnecting" : state);
  }

  #connect(): void {
    this.#enter("connecting");
    const { host, port } = this.#url;
    const { interfaceName } = this.#options;
    this.#dialer = new Dialer({ host, port, interfaceName }, this.#options, this, this.#log);
  }

  resolved(first: IpAddress): void {
    if (this.#request.purpose === "play" && this.#isFirstConnection) this.udp.ask(first);
    this.#isFirstConnection = false;
  }

  connected(source: TcpSource): void {
    const connection = new RtspConnection(source, this.requests, this);
    this.#connection = connection;
    this.udp.connected(connection.target.address, connection.localPort, this.#request.purpose === "play");
    this.#ask(this.#attempts.skipsOptions ? "describe" : "options");
  }

  /** The server cannot be reached. */
  failed({ code, message }: DialError): void {
    if (code === "forbidden") this.#fail(new ForbiddenError(this.server, message));
    else if (code === "loop") this.#fail(new UpstreamError(code, `${this.server}: ${message}`, 508));
    else this.#comeBack(new (code === "unresolved" ? UnresolvedError : UnreachableError)(this.server, message));
  }

  over(reason: string): void {
    const cause = this.#refusal ?? new ClosedError(this.server, this.#state, reason);
    if (isAsking(this.#state) && this.#attempts.hungUp(this.#state, this.requests.isChallenged)) this.#connectAgain();
    else this.#comeBack(cause);
  }

  #ask(stage: Asking): void {
    this.#enter(stage);
    const { timeoutMs } = this.#options;
    const limitMs = stage === "options" ? Math.min(OPTIONS_MS, timeoutMs) : timeoutMs;
    this.#timer = setTimeout(() => this.#unanswered(stage), limitMs);
    const answered = (response: RtspResponse) => this.#answered(stage, response);
    this.#connection?.ask(methodOf(stage), this.#urlOf(stage), this.#headersOf(stage), answered);
  }

  #urlOf(stage: Asking): string {
    if (stage === "setup") return this.#attempts.trackUrl ?? this.requestUrl;
    return stage === "play" ? this.sessionUrl : this.requestUrl;
  }

  #unanswered(stage: Asking): void {
    const { timeoutMs } = this.#options;
    if (stage === "options") {
      this.#attempts.isOptionsOdd = true;
      this.#optionsOver();
    } else if (stage === "describe" && this.#attempts.hungUp(stage, this.requests.isChallenged)) this.#connectAgain();
    else this.#comeBack(new NoAnswerError(this.server, methodOf(stage), timeoutMs));
  }

  #headersOf(stage: Asking): HeaderField[] {
    const { range } = this.#request;
    const nat = stage === "describe" || stage === "setup" ? this.udp.natHeader : undefined;
    const headers: HeaderField[] = [];
    const offer = stage === "setup" ? this.#attempts.offer : undefined;
    if (stage === "describe") headers.push(["Accept", "application/sdp"]);
    if (offer !== undefined) headers.push(["Transport", offer]);
    if (nat !== undefined) headers.push(["x-NAT", nat]);
    if (stage === "play" && range !== undefined && !this.#attempts.isWithoutRange) headers.push(["Range", range]);
    return headers;
  }

  #answered(stage: Asking, response: RtspResponse): void {
    // What comes too late was answered without it.
    if (this.#state !== stage) return;
    const { status, headers } = response;
    const location = headerValue(headers, "location");
    if (status === 200) this.#succeeded(stage, response);
    else if (status === 401) this.#challenged(stage, response);
    else if (status >= 300 && status < 400 && location !== undefined) this.#redirect(location);
    else this.#refused(stage, response);
  }

  #succeeded(stage: Asking, response: RtspResponse): void {
    if (stage === "options") this.#optionsOver();
    else if (stage === "describe") this.#described(response);
    else if (stage === "setup") this.#setUp(response);
    else this.#played(response);
  }

  #challenged(stage: Asking, response: RtspResponse): void {
    const refusal = this.requests.challenged(response);
    if (refusal === undefined) this.#ask(stage);
    else this.#fail(new UnauthorizedError(this.server, methodOf(stage), refusal));
  }

  /** Asks in another way, while there is one. */
  #refused(stage: Asking, { status, reason }: RtspResponse): void {
    const refusal = new RefusedError(this.server, methodOf(stage), status, reason);
    const { range, purpose } = this.#request;
    const next = this.#attempts.refused(stage, status, range !== undefined);
    if (stage === "options") this.#optionsOver();
    else if (next === undefined || purpose === "describe") this.#fail(this.#refusal ?? refusal);
    else {
      if (status === INVALID_RANGE) this.#log.warn(`${refusal.message}; asked to play from where it likes`);
      else this.#log.debug(`${refusal.message}; asked in another way`);
      if (stage === "describe") {
        this.info.undescribed(this.requestUrl);
        this.#attempts.described(this.info);
      }
      this.#refusal ??= refusal;
      this.#ask(next);
    }
  }

  #optionsOver(): void {
    if (this.udp.isAsking) this.#enter("awaiting-stun");
    else this.#ask("describe");
  }

  #stunSettled(): void {
    if (this.#state === "awaiting-stun") this.#ask("describe");
  }

  #described(response: RtspResponse): void {
    this.info.describe(response, this.requestUrl);
    this.#attempts.described(this.info);
    if (this.#request.purpose === "play") this.#ask("setup");
    else {
      this.close();
      this.#parent.described();
    }
  }

  #setUp({ headers }: RtspResponse): void {
    this.#isSetUp = true;
    this.#refusal = undefined;
    const transport = headerValue(headers, "transport");
    const chosen = parseChosenTransport(transport ?? DEFAULT_TRANSPORT);
    if (chosen.kind === "tcp") this.#useTcp(chosen);
    else if (this.udp.pair) runDetached(this.#log, "Opening the way for UDP", this.udp.chosen(chosen));
    else {
      this.#fail(new ClosedError(this.server, "setup", "the server has chosen UDP, which was not offered"));
      return;
    }
    if (transport !== undefined) this.info.transport = chosen.kind === "tcp" ? "tcp-interleaved" : "udp";
    this.#ask("play");
  }

  /** Frames may come from now on. */
  #useTcp({ rtpChannel, rtcpChannel }: ChosenTransport & { kind: "tcp" }): void {
    this.udp.close();
    this.#early = new EarlyFrames();
    if (!this.#connection) return;
    this.#connection.useChannels(rtpChannel, rtcpChannel);
    this.#connection.media = this.#early;
  }

  #played(response: RtspResponse): void {
    this.info.play(response);
    this.#enter("over");
    this.#connection?.handOver(this.#parent);
    if (this.#connection) this.#parent.played(this.#connection, this.#early);
  }

  /** Another server is asked, which knows nothing of what this one has been told. */
  #redirect(location: string): void {
    const url = followRedirect(location, this.#url);
    if (!url) this.#fail(new RedirectError(this.server, "not to an rtsp:// URL"));
    else if (++this.#redirects > MAX_REDIRECTS)
      this.#fail(new RedirectError(this.server, `over ${MAX_REDIRECTS} times`));
    else this.#move(url);
  }

  /** Everything that was found out belongs to the server that is left. */
  #move(url: RtspUrl): void {
    this.#leave();
    this.#attempts = this.#newAttempts();
    this.#refusal = undefined;
    this.#url = url;
    this.#begin(this.requests.forAnotherServer(url.credentials));
  }

  /** The same server, which is asked from the beginning, but in the way that is the next to try. */
  #connectAgain(): void {
    this.#leave();
    this.#begin(this.requests.forAnotherConnection());
  }

  #begin(requests: Requests): void {
    this.info = new SessionInfo();
    this.#early = undefined;
    this.requests = requests;
    this.#connect();
  }

  /** A server that the first one has sent us to is of no use: perhaps it names another one now. */
  #comeBack(cause: UpstreamError): void {
    if (this.#state === "over") return;
    if (this.#redirects === 0 || this.#hasComeBack) {
      this.#fail(cause);
      return;
    }
    this.#hasComeBack = true;
    this.#log.warn(`${cause.message}; the server that has led there is asked once more`);
    this.#move(this.#request.url);
  }

  #newAttempts(): Attempts {
    return new Attempts(() => transportCandidates(this.udp.offer));
  }

  #fail(cause: UpstreamError): void {
    if (this.#state === "over") return;
    this.close();
    this.#parent.failed(cause);
  }

  /** Ends the connection, or the attempt. */
  #leave(): void {
    const connection = this.#connection;
    this.#dialer?.close();
    this.#connection = undefined;
    if (connection?.isOpen && this.#isSetUp) new Teardown(connection, this.sessionUrl, this.#options.reach, this.#log);
    else connection?.close();
    this.#isSetUp = false;
  }
}

function isAsking(state: State): state is Asking {
  return state !== "connecting" && state !== "awaiting-stun" && state !== "over";
}

function methodOf(stage: Asking): string {
  return stage.toUpperCase();
}
