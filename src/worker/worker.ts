/** Composition root of one worker: builds the parts, wires them, accepts. */
import type { Settings } from "../config/settings.ts";
import { type HttpListener, listen } from "../http/listener.ts";
import type { RequestHandler } from "../http/request.ts";
import { Hub } from "../relay/hub.ts";
import { Admission, type Places } from "../routes/admission.ts";
import { httpProxyRoute } from "../routes/http-proxy.ts";
import { type IndexChannel, indexRoute } from "../routes/index-page.ts";
import { multicastRoute } from "../routes/multicast.ts";
import type { Route } from "../routes/route.ts";
import { router } from "../routes/router.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { isOwnAddress } from "../system/interfaces.ts";
import type { Log } from "../system/log.ts";
import { settleAfterStart } from "../system/startup-code.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { keepCompilerCalm } from "./compiler.ts";
import type { HandedSocket } from "./messages.ts";

/** Because we read in batches, the kernel may have to keep what comes between two of them. */
const USUAL_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface WorkerParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly sockets: readonly HandedSocket[];
  readonly places: Places;
  /** What the page at `/` lists. */
  readonly channels: readonly IndexChannel[];
}

export class Worker {
  readonly #parts: WorkerParts;
  readonly #hub: Hub;
  readonly #admission: Admission;
  readonly #listeners: readonly HttpListener[];
  readonly #cancelSettling: () => void;
  /** Answers requests the way the settings of now want it. */
  #handler: RequestHandler;

  /** Starts to serve. */
  constructor(parts: WorkerParts) {
    keepCompilerCalm();
    const { settings, log, sockets, places } = parts;
    this.#parts = parts;
    this.#hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: settings.fastStart });
    this.#admission = new Admission(settings.maxClients, places);
    this.#handler = this.#routes(settings);
    const handler: RequestHandler = (request, connection) => this.#handler(request, connection);
    this.#listeners = sockets.map(({ fd }) => listen({ fd, handler, log }));
    log.info(`Multicast receiver: ${RECEIVER_KIND}`);
    this.#cancelSettling = settleAfterStart();
    log.info("Server initialization complete, ready to accept connections");
  }

  /** New requests are served by new settings; what runs goes on (config.md section 8). */
  reload(settings: Settings): void {
    this.#admission.limit = settings.maxClients;
    this.#hub.fastStart = settings.fastStart;
    this.#handler = this.#routes(settings);
  }

  /** Closes every connection and socket at once. */
  stop(): void {
    this.#cancelSettling();
    for (const listener of this.#listeners) listener.stop();
    this.#hub.close();
  }

  #routes(settings: Settings): RequestHandler {
    const { log, channels } = this.#parts;
    const routes: Route[] = [indexRoute(channels)];
    if (settings.udpxy) routes.push(this.#multicast(settings), this.#httpProxy(settings));
    return router(routes, log);
  }

  #multicast(settings: Settings): Route {
    const options = {
      interfaceName: settings.upstreamInterfaceMulticast ?? settings.upstreamInterface,
      receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
      rejoinIntervalS: settings.multicastRejoinInterval,
      gapTimeoutS: settings.multicastGapTimeout,
    };
    return multicastRoute({ hub: this.#hub, admission: this.#admission, log: this.#parts.log, options });
  }

  #httpProxy(settings: Settings): Route {
    const options = {
      interfaceName: settings.upstreamInterfaceHttp ?? settings.upstreamInterface,
      userAgent: settings.httpProxyUserAgent,
      proxyHttps: settings.proxyHttps,
    };
    const isOurselves = (address: IpAddress, port: number) =>
      this.#parts.sockets.some((socket) => "port" in socket && socket.port === port) && isOwnAddress(address);
    return httpProxyRoute({ hub: this.#hub, admission: this.#admission, log: this.#parts.log, options, isOurselves });
  }
}
