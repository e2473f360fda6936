/** `/rtsp/…`: an RTSP server's stream as an HTTP stream, one session for each client (http.md section 11, rtsp.md). */
import type { Connection } from "../http/connection.ts";
import { completeHeaders, emitHead, errorResponse } from "../http/response.ts";
import type { ClientSink } from "../relay/cursor.ts";
import type { Upstream, UpstreamParent } from "../relay/stream.ts";
import type { WatchedClient } from "../status/clients.ts";
import type { UpstreamDescription } from "../status/upstreams.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { readSeekRequest, type SeekRequest } from "../timeshift/seek-request.ts";
import { resolveUpstreamUrl } from "../timeshift/upstream-url.ts";
import { clientZone } from "../timeshift/zones.ts";
import type { RtspError } from "../upstream/rtsp/errors.ts";
import type { HandshakeRequest } from "../upstream/rtsp/handshake.ts";
import type { InterleavedSource } from "../upstream/rtsp/interleaved.ts";
import { type RtspOptions, RtspSession, type RtspSessionParent, type RtspStage } from "../upstream/rtsp/session.ts";
import type { RtspStreamInfo } from "../upstream/rtsp/stream-info.ts";
import { formatRtspUrl, parseRtspUrl } from "../wire/rtsp/url.ts";
import { CLIENT_STATE, type ClientState } from "../wire/status/client-state.ts";
import { CONSUMED_PARAMETERS, takeParameters } from "../wire/url/proxy-url.ts";
import { shownUrl } from "./client-identity.ts";
import { admit } from "./client-limit.ts";
import { requestedInterface } from "./interface-parameter.ts";
import { MediaClient } from "./media-client.ts";
import type { MediaParts } from "./media-parts.ts";
import { PipedClient } from "./piped-client.ts";
import type { Exchange, Route } from "./route.ts";
import { rtspHeaders } from "./rtsp-headers.ts";
import { SNAPSHOT_PARAMETER, type Snapshots, snapshotOr, snapshotTrigger } from "./snapshot.ts";

export interface RtspParts extends MediaParts {
  /** Its interface is for requests that name none. */
  readonly options: RtspOptions;
  readonly snapshots?: Snapshots | undefined;
}

const PREFIX = "/rtsp/";
const SCHEME = "rtsp://";

export function rtspRoute(parts: RtspParts): Route {
  return (exchange) => {
    if (!exchange.path.startsWith(PREFIX)) return false;
    const rest = exchange.path.slice(PREFIX.length);
    if (rest === "") exchange.connection.respond(errorResponse(404));
    else serveRtsp(parts, exchange, `${SCHEME}${rest}${exchange.query === "" ? "" : `?${exchange.query}`}`);
    return true;
  };
}

/**
 * Answers with the stream of a URL.
 * @param url `rtsp://…` with all parameters of the request; a service's with the request's query merged in
 * @param serviceUrl as the playlist has it; undefined for a URL that came whole from a client
 */
export function serveRtsp(parts: RtspParts, exchange: Exchange, url: string, serviceUrl?: string): void {
  const { connection } = exchange;
  const seek = readSeekRequest(url, "rtsp", serviceUrl);
  if (!seek) {
    connection.respond(errorResponse(serviceUrl === undefined ? 404 : 500));
    return;
  }
  for (const warning of seek.warnings) parts.log.warn(warning);
  const client = rtspClient(parts, exchange, seek);
  if (typeof client === "number") connection.respond(errorResponse(client));
  else client?.start();
}

/** A status when there can be no session; undefined when the client has been refused. */
function rtspClient(parts: RtspParts, exchange: Exchange, seek: SeekRequest): RtspClient | number | undefined {
  const { request, connection } = exchange;
  const zoneMin = clientZone(request.header("user-agent"));
  const upstream = resolveUpstreamUrl(seek, { nowMs: Date.now(), zoneMin });
  if (!upstream) return 503;
  const isSnapshot = parts.snapshots && snapshotTrigger(exchange) !== undefined;
  const consumed = isSnapshot ? [...CONSUMED_PARAMETERS, SNAPSHOT_PARAMETER] : CONSUMED_PARAMETERS;
  const { url, taken } = takeParameters(upstream.url, consumed);
  const outcome = parseRtspUrl(url.slice(SCHEME.length));
  if (outcome.kind === "error") return outcome.status;
  // Asking what there is for HEAD takes no place (http.md section 14).
  const isHead = request.method === "HEAD";
  const admitted = isHead ? undefined : admit(parts, exchange, "rtsp-tcp", CLIENT_STATE.rtspInitial);
  if (!admitted && !isHead) return undefined;
  if (!isHead) parts.accessLog.admitted(exchange, "rtsp", takeParameters(seek.url, CONSUMED_PARAMETERS).url);
  const wants = isHead ? "info" : seek.wantsDuration ? "duration" : "media";
  const interfaceName = requestedInterface(taken, parts.log) ?? parts.options.interfaceName;
  const purpose = wants === "media" ? "play" : "describe";
  const handshake = { url: outcome.url, range: upstream.range, purpose } as const;
  const sessionParts = { ...parts, options: { ...parts.options, interfaceName } };
  const client = new RtspClient(sessionParts, exchange, wants, handshake, admitted?.client);
  connection.onClose = () => {
    admitted?.leave();
    client.close();
  };
  return client;
}

type Wanted = "media" | "info" | "duration";

/** Keys of streams that nobody shares. */
let sessions = 0;

const STATES: Readonly<Record<RtspStage, ClientState>> = {
  connecting: CLIENT_STATE.rtspConnecting,
  reconnecting: CLIENT_STATE.rtspReconnecting,
  options: CLIENT_STATE.rtspAwaitingOptions,
  "awaiting-stun": CLIENT_STATE.rtspSendingDescribe,
  describe: CLIENT_STATE.rtspAwaitingDescribe,
  setup: CLIENT_STATE.rtspAwaitingSetup,
  play: CLIENT_STATE.rtspAwaitingPlay,
  playing: CLIENT_STATE.rtspPlaying,
};

/** One client with its session. */
class RtspClient implements RtspSessionParent {
  readonly #parts: RtspParts;
  readonly #exchange: Exchange;
  readonly #wants: Wanted;
  readonly #request: HandshakeRequest;
  /** Its entry on the status page; HEAD has none. */
  readonly #client: WatchedClient | undefined;
  #session: RtspSession | undefined;
  #consumer: { close(): void } | undefined;

  constructor(
    parts: RtspParts,
    exchange: Exchange,
    wants: Wanted,
    request: HandshakeRequest,
    client: WatchedClient | undefined,
  ) {
    this.#parts = parts;
    this.#exchange = exchange;
    this.#wants = wants;
    this.#request = request;
    this.#client = client;
  }

  start(): void {
    this.#session = new RtspSession(this.#request, this.#parts.options, this, this.#parts.log);
  }

  /** The client is gone, or has all there is. */
  close(): void {
    this.#consumer?.close();
    this.#session?.close();
  }

  entered(stage: RtspStage): void {
    if (this.#client) this.#client.state = STATES[stage];
  }

  described(): void {
    const info = this.#info;
    if (this.#wants === "duration") {
      this.#connection.respond({
        status: 200,
        headers: [["Content-Type", "application/json"]],
        body: `{"duration": "${(info.duration?.endS ?? -1).toFixed(3)}"}`,
      });
    } else this.#connection.respond({ status: 200, headers: rtspHeaders(info, this.#exchange.isCors) });
  }

  interleaved(source: InterleavedSource): void {
    const connection = this.#connection;
    const client = new PipedClient(connection, source, this.#sink(), this.#parts.hub, () => this.#session?.close());
    source.onArrived = () => client.arrived();
    this.#consumer = client;
    this.#client?.fed(client.pipe, client.pipe, this.#description("rtsp-tcp", "stream"));
    client.start();
  }

  datagrams(open: (parent: UpstreamParent) => Upstream): void {
    const connection = this.#connection;
    const subscription = this.#parts.hub.join(`rtsp ${++sessions}`, open, () => this.#sink());
    this.#consumer = subscription;
    connection.onWritable = subscription.drained;
    this.#client?.fed(subscription.queue, subscription.flow, this.#description("rtsp-udp", RECEIVER_KIND));
  }

  failed(_cause: RtspError): void {
    if (this.#client) this.#client.state = CLIENT_STATE.error;
    this.#connection.respond(errorResponse(503));
  }

  get #connection(): Connection {
    return this.#exchange.connection;
  }

  get #info(): RtspStreamInfo {
    return this.#session?.info ?? { protocol: "rtsp" };
  }

  /** The head is made when the first media is there: what is known then is what the client is told. */
  #sink(): ClientSink {
    const connection = this.#connection;
    const headers = () => rtspHeaders(this.#info, this.#exchange.isCors);
    const stream = new MediaClient(connection, this.#parts.log, () =>
      emitHead(200, completeHeaders(headers(), connection.standingHeaders)),
    );
    return snapshotOr(stream, this.#exchange, this.#parts.snapshots, headers);
  }

  #description(kind: string, receiver: string): UpstreamDescription {
    return {
      kind,
      url: shownUrl(formatRtspUrl(this.#request.url)),
      interfaceName: this.#parts.options.interfaceName,
      receiver,
      rtp: () => this.#session?.counts,
    };
  }
}
