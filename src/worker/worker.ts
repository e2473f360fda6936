/** Composition root of one worker: builds the parts, wires them, listens. */
import { isTcpAddress } from "../config/listen.ts";
import type { Settings, TcpAddress } from "../config/settings.ts";
import { type HttpListener, ListenError, listen } from "../http/listener.ts";
import { Hub } from "../relay/hub.ts";
import { Admission } from "../routes/admission.ts";
import { httpProxyRoute } from "../routes/http-proxy.ts";
import { type IndexChannel, indexRoute } from "../routes/index-page.ts";
import { multicastRoute } from "../routes/multicast.ts";
import type { Route } from "../routes/route.ts";
import { router } from "../routes/router.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { isOwnAddress } from "../system/interfaces.ts";
import type { Log } from "../system/log.ts";
import { dropStartupCode } from "../system/startup-code.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { keepCompilerCalm } from "./compiler.ts";

/** Because we read in batches, the kernel may have to keep what comes between two of them. */
const USUAL_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** By then nothing of the start is still going on. */
const STARTED_AFTER_MS = 1000;

export interface Worker {
  readonly listeners: readonly HttpListener[];
  /** Closes every connection and socket at once. */
  stop(): void;
}

/**
 * Starts to serve.
 * @param channels what the page at `/` lists
 * @throws ListenError when no address at all could be listened on
 */
export function startWorker(settings: Settings, log: Log, channels: readonly IndexChannel[] = []): Worker {
  keepCompilerCalm();
  const hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: settings.fastStart });
  const admission = new Admission(settings.maxClients);
  const routes: Route[] = [indexRoute(channels)];
  const listeners: HttpListener[] = [];
  const proxy = {
    options: {
      interfaceName: settings.upstreamInterfaceHttp ?? settings.upstreamInterface,
      userAgent: settings.httpProxyUserAgent,
      proxyHttps: settings.proxyHttps,
    },
    isOurselves: (address: IpAddress, port: number) =>
      listeners.some((listener) => listener.port === port) && isOwnAddress(address),
  };
  if (settings.udpxy) {
    const options = {
      interfaceName: settings.upstreamInterfaceMulticast ?? settings.upstreamInterface,
      receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
      rejoinIntervalS: settings.multicastRejoinInterval,
      gapTimeoutS: settings.multicastGapTimeout,
    };
    routes.push(multicastRoute({ hub, admission, log, options }), httpProxyRoute({ hub, admission, log, ...proxy }));
  }
  listeners.push(...listenOnAll(settings.listen.filter(isTcpAddress), router(routes, log), log));
  log.info(`Multicast receiver: ${RECEIVER_KIND}`);
  const tidying = setTimeout(dropStartupCode, STARTED_AFTER_MS);
  log.info("Server initialization complete, ready to accept connections");
  return {
    listeners,
    stop() {
      clearTimeout(tidying);
      for (const listener of listeners) listener.stop();
      hub.close();
    },
  };
}

function listenOnAll(
  addresses: readonly TcpAddress[],
  handler: Parameters<typeof listen>[0]["handler"],
  log: Log,
): HttpListener[] {
  const listeners: HttpListener[] = [];
  for (const { host, port } of addresses) {
    // A wildcard is one IPv4 and one IPv6 socket; a machine may have only one of the families.
    for (const hostname of host === undefined ? ["0.0.0.0", "::"] : [host]) {
      try {
        const chosen = host === undefined && port === 0 ? (listeners.at(-1)?.port ?? 0) : port;
        const listener = listen({ hostname, port: chosen, ipv6Only: true, handler, log });
        log.info(`Listening on ${listener.hostname} port ${listener.port}`);
        listeners.push(listener);
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        log.error(`Cannot bind: ${error.message}`);
      }
    }
  }
  if (listeners.length === 0) throw new NothingToListenError();
  return listeners;
}

/** None of the addresses could be listened on; each reason has been logged. */
export class NothingToListenError extends Error {
  readonly code = "nothing-to-listen";

  constructor() {
    super("No socket to listen!");
  }
}
