/** Composition root of one worker: builds the parts, wires them, accepts. */
import { networkInterfaces } from "node:os";
import type { Settings } from "../config/settings.ts";
import { type HttpListener, listen } from "../http/listener.ts";
import type { RequestHandler } from "../http/request.ts";
import { Hub } from "../relay/hub.ts";
import { AccessLog } from "../routes/access-log.ts";
import { Admission, type Places } from "../routes/admission.ts";
import { Gatekeeper } from "../routes/gatekeeper.ts";
import { httpProxyRoute } from "../routes/http-proxy.ts";
import { type IndexChannel, indexRoute } from "../routes/index-page.ts";
import { multicastRoute } from "../routes/multicast.ts";
import { ownLinks } from "../routes/own-links.ts";
import type { Route } from "../routes/route.ts";
import { router } from "../routes/router.ts";
import { rtspRoute } from "../routes/rtsp.ts";
import { statusApiRoute } from "../routes/status-api.ts";
import { statusEventsRoute } from "../routes/status-events.ts";
import { ClientRegistry } from "../status/clients.ts";
import { SendCounts } from "../status/send-counts.ts";
import { AccessLogFile } from "../system/access-log-file.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { isOwnAddress } from "../system/interfaces.ts";
import type { Log } from "../system/log.ts";
import { settleAfterStart } from "../system/startup-code.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { ownAddress } from "../wire/own-address.ts";
import { keepCompilerCalm } from "./compiler.ts";
import type { FromWorker, HandedSocket, StatusToWorker } from "./messages.ts";
import { WorkerStatus } from "./worker-status.ts";

/** Because we read in batches, the kernel may have to keep what comes between two of them. */
const USUAL_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Of links to ourselves while all our sockets are Unix sockets (m3u.md section 7). */
const FALLBACK_PORT = 5140;

export interface WorkerParts {
  /** 0 or more. */
  readonly id: number;
  readonly settings: Settings;
  readonly log: Log;
  readonly sockets: readonly HandedSocket[];
  readonly places: Places;
  /** By worker: bytes sent to media clients. */
  readonly sentBytes: Float64Array;
  /** What the page at `/` lists. */
  readonly channels: readonly IndexChannel[];
  /** Tells the supervisor; false when it is gone. */
  readonly send: (message: FromWorker) => boolean;
}

export class Worker {
  readonly #parts: WorkerParts;
  readonly #hub: Hub;
  readonly #admission: Admission;
  readonly #status: WorkerStatus;
  readonly #accessLogFile: AccessLogFile;
  readonly #listeners: readonly HttpListener[];
  readonly #cancelSettling: () => void;
  #gatekeeper: Gatekeeper;
  /** Answers requests the way the settings of now want it. */
  #handler: RequestHandler;

  /** Starts to serve. */
  constructor(parts: WorkerParts) {
    keepCompilerCalm();
    const { id, settings, log, sockets, places, sentBytes, send } = parts;
    this.#parts = parts;
    const clients = new ClientRegistry(id, new SendCounts(sentBytes, id));
    this.#hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: settings.fastStart });
    this.#accessLogFile = new AccessLogFile(log);
    this.#admission = new Admission(settings.maxClients, places, clients);
    this.#status = new WorkerStatus(clients, this.#hub.budget, log, send);
    this.#gatekeeper = new Gatekeeper(settings, log);
    this.#handler = this.#routes(settings);
    const handler: RequestHandler = (request, connection) => this.#handler(request, connection);
    const errorResponse = (status: number) => this.#gatekeeper.errorResponse(status);
    this.#listeners = sockets.map(({ fd }) => listen({ fd, handler, log, errorResponse }));
    log.info(`Multicast receiver: ${RECEIVER_KIND}`);
    this.#cancelSettling = settleAfterStart();
    log.info("Server initialization complete, ready to accept connections");
  }

  /** New requests are served by new settings; what runs goes on (config.md section 8). */
  reload(settings: Settings): void {
    this.#accessLogFile.reopen();
    this.#admission.limit = settings.maxClients;
    this.#hub.fastStart = settings.fastStart;
    this.#gatekeeper = new Gatekeeper(settings, this.#parts.log);
    this.#handler = this.#routes(settings);
  }

  takeStatus(message: StatusToWorker): void {
    this.#status.take(message);
  }

  /** Closes every connection and socket at once. */
  stop(): void {
    this.#cancelSettling();
    for (const listener of this.#listeners) listener.stop();
    this.#hub.close();
  }

  #routes(settings: Settings): RequestHandler {
    const { log, channels } = this.#parts;
    const { feed, control } = this.#status;
    const routes: Route[] = [
      statusEventsRoute(feed, settings.statusPagePath),
      statusApiRoute(control, settings.statusPagePath),
      indexRoute(channels, settings.appPathPrefix),
    ];
    if (settings.udpxy) routes.push(this.#multicast(settings), this.#rtsp(settings), this.#httpProxy(settings));
    return router({ gatekeeper: this.#gatekeeper, routes, log });
  }

  /** What every route to media needs. */
  #common({ accessLog, logFormat }: Settings) {
    return {
      hub: this.#hub,
      admission: this.#admission,
      log: this.#parts.log,
      accessLog: new AccessLog(this.#accessLogFile, accessLog, logFormat),
    };
  }

  #multicast(settings: Settings): Route {
    const options = {
      interfaceName: settings.upstreamInterfaceMulticast ?? settings.upstreamInterface,
      receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
      rejoinIntervalS: settings.multicastRejoinInterval,
      gapTimeoutS: settings.multicastGapTimeout,
    };
    return multicastRoute({ ...this.#common(settings), options });
  }

  #rtsp(settings: Settings): Route {
    const options = {
      interfaceName: settings.upstreamInterfaceRtsp ?? settings.upstreamInterface,
      receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
      userAgent: settings.rtspUserAgent,
      stunServer: settings.rtspStunServer,
    };
    return rtspRoute({ ...this.#common(settings), options });
  }

  #httpProxy(settings: Settings): Route {
    const options = {
      interfaceName: settings.upstreamInterfaceHttp ?? settings.upstreamInterface,
      userAgent: settings.httpProxyUserAgent,
      proxyHttps: settings.proxyHttps,
      links: ownLinks(settings, () => this.#localAddress(settings)),
    };
    const isOurselves = (address: IpAddress, port: number) =>
      this.#parts.sockets.some((socket) => "port" in socket && socket.port === port) && isOwnAddress(address);
    return httpProxyRoute({ ...this.#common(settings), options, isOurselves });
  }

  /** What links name for clients that name no host. */
  #localAddress(settings: Settings) {
    const { upstreamInterface, upstreamInterfaceFcc, upstreamInterfaceRtsp, upstreamInterfaceMulticast } = settings;
    const upstream = [upstreamInterface, upstreamInterfaceFcc, upstreamInterfaceRtsp, upstreamInterfaceMulticast];
    const named = upstream.filter((name) => name !== undefined);
    const all = Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
      addresses.map(({ address }) => ({ interfaceName, address })),
    );
    const [port = FALLBACK_PORT] = this.#parts.sockets.flatMap((socket) => ("port" in socket ? [socket.port] : []));
    return { host: ownAddress(all, named), port };
  }
}
