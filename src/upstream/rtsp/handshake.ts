/** The way to PLAY: asks one thing after the other, proves who we are, follows redirects (rtsp.md sections 4 to 8). */
import type { Log } from "../../system/log.ts";
import { type HeaderField, headerValue } from "../../wire/http/request.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { type ChosenTransport, parseChosenTransport } from "../../wire/rtsp/transport.ts";
import { followRedirect, type RtspUrl } from "../../wire/rtsp/url.ts";
import { ClosedError, RedirectError, RefusedError, type RtspError, UnauthorizedError } from "./errors.ts";
import type { Requests } from "./requests.ts";
import type { RtspConnection, RtspConnectionParent } from "./rtsp-connection.ts";
import { ServerLink, type ServerLinkOptions, type ServerLinkParent } from "./server-link.ts";
import { SessionInfo } from "./session-info.ts";
import { transportCandidates } from "./transport-candidates.ts";
import { UdpTransport, type UdpTransportOptions } from "./udp-transport.ts";

const MAX_REDIRECTS = 5;
/** The server does not say what it has chosen: then it is what is preferred. */
const DEFAULT_TRANSPORT = "RTP/AVP/TCP";
const UNSUPPORTED_TRANSPORT = 461;

export interface HandshakeOptions extends UdpTransportOptions, ServerLinkOptions {
  /** For resolving, for each address, and for each answer. */
  readonly timeoutMs: number;
}

export interface HandshakeRequest {
  readonly url: RtspUrl;
  /** Of PLAY. */
  readonly range: string | undefined;
  /** `describe` asks what there is, and goes. */
  readonly purpose: "play" | "describe";
}

/** How far it has come; an asking stage is named like the request whose answer it awaits. */
export type HandshakeStage = Exclude<State, "over"> | "reconnecting";

export interface HandshakeParent extends RtspConnectionParent {
  entered(stage: HandshakeStage): void;
  /** DESCRIBE was answered, and nothing else is wanted. */
  described(): void;
  /** SETUP was answered. Frames may come from now on. */
  setUp(transport: ChosenTransport["kind"]): void;
  /** PLAY was answered. The control connection's events are the parent's from now on. */
  played(control: RtspConnection): void;
  failed(cause: RtspError): void;
}

/** States in which a request waits for its answer: they are called like it. */
type Asking = "options" | "describe" | "setup" | "play";
type State =
  | "connecting"
  | Asking
  /** OPTIONS was answered, but not yet by the STUN server. */
  | "awaiting-stun"
  | "over";

export class Handshake implements ServerLinkParent {
  readonly udp: UdpTransport;
  learned = new SessionInfo();
  readonly #request: HandshakeRequest;
  readonly #parent: HandshakeParent;
  readonly #link: ServerLink;
  #state: State = "connecting";
  #redirects = 0;
  /** How many offers this server has refused. */
  #refusedOffers = 0;

  constructor(request: HandshakeRequest, options: HandshakeOptions, parent: HandshakeParent, log: Log) {
    this.#request = request;
    this.#parent = parent;
    this.#link = new ServerLink(request.url, options, this, log);
    this.udp = new UdpTransport(options, () => this.#stunSettled(), log);
    this.#enter("connecting");
    this.#link.connect();
  }

  /** `rtsp://host:port`, without what may be secret. */
  get server(): string {
    return this.#link.name;
  }

  /** As it stands in request lines. */
  get requestUrl(): string {
    return this.#link.requestUrl;
  }

  get requests(): Requests {
    return this.#link.requests;
  }

  /**
   * Ends it, and the connection with it, also after PLAY. A server that has set up a session is told so. Harmless when repeated.
   */
  close(): void {
    this.#enter("over");
    this.udp.close();
    this.#link.leave();
  }

  /** The only place that changes the state. Each one but the last ends by itself. */
  #enter(state: State): void {
    this.#state = state;
    this.#link.answered();
    if (state !== "over") this.#parent.entered(state === "connecting" && this.#redirects > 0 ? "reconnecting" : state);
  }

  resolved(first: IpAddress): void {
    if (this.#request.purpose === "play" && this.#redirects === 0) this.udp.ask(first);
  }

  reached(control: RtspConnection): void {
    this.udp.connected(control.target.address, control.localPort, this.#request.purpose === "play");
    this.#ask("options");
  }

  #ask(stage: Asking): void {
    this.#enter(stage);
    const url = stage === "setup" ? this.learned.controlUrl : this.requestUrl;
    this.#link.ask(methodOf(stage), url, this.#headersOf(stage));
  }

  #headersOf(stage: Asking): HeaderField[] {
    const { range } = this.#request;
    const nat = stage === "describe" || stage === "setup" ? this.udp.natHeader : undefined;
    const headers: HeaderField[] = [];
    const offer = stage === "setup" ? this.#offer : undefined;
    if (stage === "describe") headers.push({ name: "Accept", value: "application/sdp" });
    if (offer !== undefined) headers.push({ name: "Transport", value: offer });
    if (nat !== undefined) headers.push({ name: "x-NAT", value: nat });
    if (stage === "play" && range !== undefined) headers.push({ name: "Range", value: range });
    return headers;
  }

  /** Undefined when the server wants none of ours. */
  get #offer(): string | undefined {
    return transportCandidates(this.udp.offer)[this.#refusedOffers];
  }

  /** What a server sends before it has answered PLAY is the parent's, too. */
  frame(...frame: Parameters<RtspConnectionParent["frame"]>): void {
    this.#parent.frame(...frame);
  }

  over(reason: string): void {
    // A server that has gone needs no farewell.
    this.#link.isSetUp = false;
    this.failed(new ClosedError(this.server, this.#state, reason));
  }

  response(response: RtspResponse): void {
    const { status, reason, headers } = response;
    const stage = this.#state;
    // Provisional, or unasked for; or an earlier number, because the server answers something twice.
    const isAwaited = status >= 200 && isAsking(stage) && this.requests.answeredCseq(response) === this.requests.cseq;
    if (!isAwaited) return;
    const location = headerValue(headers, "location");
    if (status === 200) this.#succeeded(stage, response);
    else if (status === 401) this.#challenged(stage, response);
    else if (status >= 300 && status < 400 && location !== undefined) this.#redirect(location);
    else if (status === UNSUPPORTED_TRANSPORT && stage === "setup") this.#offerNext(reason);
    else this.failed(new RefusedError(this.server, methodOf(stage), status, reason));
  }

  #offerNext(reason: string): void {
    this.#refusedOffers++;
    if (this.#offer !== undefined) this.#ask("setup");
    else this.failed(new RefusedError(this.server, "SETUP", UNSUPPORTED_TRANSPORT, reason));
  }

  #challenged(stage: Asking, response: RtspResponse): void {
    const reason = this.requests.challenged(response);
    if (reason === undefined) this.#ask(stage);
    else this.failed(new UnauthorizedError(this.server, methodOf(stage), reason));
  }

  #succeeded(stage: Asking, response: RtspResponse): void {
    this.requests.learn(response);
    if (stage === "options") {
      this.learned.options(response);
      if (this.udp.isAsking) this.#enter("awaiting-stun");
      else this.#ask("describe");
    } else if (stage === "describe") this.#described(response);
    else if (stage === "setup") this.#setUp(response);
    else this.#played(response);
  }

  #stunSettled(): void {
    if (this.#state === "awaiting-stun") this.#ask("describe");
  }

  #described(response: RtspResponse): void {
    this.learned.describe(response, this.requestUrl);
    if (this.#request.purpose === "play") this.#ask("setup");
    else {
      this.close();
      this.#parent.described();
    }
  }

  #setUp({ headers }: RtspResponse): void {
    this.#link.isSetUp = true;
    const transport = headerValue(headers, "transport");
    const chosen = parseChosenTransport(transport ?? DEFAULT_TRANSPORT);
    if (chosen.kind === "tcp") {
      this.#link.control?.useChannels(chosen.rtpChannel, chosen.rtcpChannel);
      this.udp.close();
    } else if (this.udp.pair) void this.udp.chosen(chosen);
    else {
      this.failed(new ClosedError(this.server, "setup", "the server has chosen UDP, which was not offered"));
      return;
    }
    if (transport !== undefined) this.learned.transport = chosen.kind === "tcp" ? "tcp-interleaved" : "udp";
    this.#parent.setUp(chosen.kind);
    this.#ask("play");
  }

  #played(response: RtspResponse): void {
    this.learned.play(response);
    this.#enter("over");
    const control = this.#link.control!;
    control.parent = this.#parent;
    this.#parent.played(control);
  }

  /** Close, and ask somebody else. */
  #redirect(location: string): void {
    const url = followRedirect(location, this.#link.url);
    if (!url) this.failed(new RedirectError(this.server, "not to an rtsp:// URL"));
    else if (++this.#redirects > MAX_REDIRECTS)
      this.failed(new RedirectError(this.server, `over ${MAX_REDIRECTS} times`));
    else {
      this.learned = new SessionInfo();
      this.#refusedOffers = 0;
      this.#enter("connecting");
      this.#link.moveTo(url);
    }
  }

  failed(cause: RtspError): void {
    if (this.#state === "over") return;
    this.close();
    this.#parent.failed(cause);
  }
}

function isAsking(state: State): state is Asking {
  return state !== "connecting" && state !== "awaiting-stun" && state !== "over";
}

function methodOf(stage: Asking): string {
  return stage.toUpperCase();
}
