/** Composition root of one worker: builds the parts, wires them, accepts. */
import { networkInterfaces } from "node:os";
import { secretsOf } from "../config/secrets.ts";
import type { Settings } from "../config/settings.ts";
import type { RequestHandler } from "../http/connection.ts";
import { ConnectionTable } from "../http/connection-table.ts";
import { type HttpListener, listen } from "../http/listener.ts";
import type { Loaded } from "../playlist/loaded.ts";
import { Playlists } from "../playlist/playlists.ts";
import type { ReadingObserver, SuspectList } from "../playlist/suspects.ts";
import { Hub } from "../relay/hub.ts";
import { AccessControl } from "../routes/access-control.ts";
import { AccessLog } from "../routes/access-log.ts";
import { assetsRoute, faviconRoute } from "../routes/assets.ts";
import { channelRoute, invalidNameRoute } from "../routes/channel.ts";
import { ClientLimit } from "../routes/client-limit.ts";
import { guideRoute } from "../routes/guide.ts";
import { indexRoute } from "../routes/index-page.ts";
import { manifestsRoute } from "../routes/manifests.ts";
import { type MediaParts, mediaRoute, serveMedia } from "../routes/media.ts";
import { ownLinks } from "../routes/own-links.ts";
import { pagesRoute } from "../routes/pages.ts";
import { playlistRoute } from "../routes/playlist.ts";
import type { ControlRoute, Route } from "../routes/route.ts";
import { router } from "../routes/router.ts";
import { site } from "../routes/site.ts";
import { statusApiRoute } from "../routes/status-api.ts";
import { statusEventsRoute } from "../routes/status-events.ts";
import { ClientRegistry } from "../status/clients.ts";
import type { SharedSlots } from "../status/shared-slots.ts";
import type { WorkerTotals } from "../status/totals.ts";
import { AccessLogFile } from "../system/access-log-file.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { Ffmpeg } from "../system/ffmpeg.ts";
import { collectGrowth } from "../system/garbage.ts";
import { isOwnAddress } from "../system/interfaces.ts";
import type { Log } from "../system/log.ts";
import { Reach } from "../system/reach.ts";
import { keepSecret } from "../system/shown.ts";
import { settleAfterStart } from "../system/startup-code.ts";
import { runDetached } from "../system/task-queue.ts";
import type { OwnLinks } from "../upstream/planner.ts";
import { planners, protocolsFinished } from "../upstream/plans.ts";
import { LinkSeal } from "../wire/url/link-seal.ts";
import { keepCompilerCalm } from "./compiler.ts";
import { connectionLimits, reportLimits } from "./connection-limits.ts";
import type { FromWorker, InheritedSocket, StatusToWorker } from "./messages.ts";
import { ownAddress } from "./own-address.ts";
import { playlistSettings } from "./playlist-settings.ts";
import { WorkerStatus } from "./worker-status.ts";

/** A process that ends waits no longer for the answers of servers that it has told so. */
const FINISH_MS = 1000;
/** Of links to ourselves while all our sockets are Unix sockets (m3u.md section 7). */
const FALLBACK_PORT = 5140;

interface WorkerParts {
  /** 0 or more. */
  readonly id: number;
  readonly settings: Settings;
  readonly log: Log;
  readonly sockets: readonly InheritedSocket[];
  readonly clientSlots: SharedSlots;
  readonly totals: WorkerTotals;
  /** The same in all workers. */
  readonly linkKey: string;
  /** What was loaded before this worker began. */
  readonly loaded: readonly Loaded[];
  /** What earlier workers have died of. */
  readonly suspects: readonly SuspectList[];
  readonly reading: ReadingObserver;
  /** Undefined: another worker loads what is external, and `accept` is told. */
  readonly onLoaded: ((loaded: Loaded) => void) | undefined;
  /** Tells the supervisor; false when it is gone. */
  readonly send: (message: FromWorker) => boolean;
}

export class Worker {
  readonly #parts: WorkerParts;
  readonly #hub: Hub;
  readonly #clientLimit: ClientLimit;
  readonly #clients: ClientRegistry;
  readonly #status: WorkerStatus;
  readonly #accessLogFile: AccessLogFile;
  readonly #ffmpeg: Ffmpeg;
  readonly #playlists: Playlists;
  readonly #connections: ConnectionTable;
  readonly #listeners: readonly HttpListener[];
  readonly #cancelSettling: () => void;
  readonly #endCollecting: () => void;
  #reach: Reach;
  #accessControl: AccessControl;
  /** Answers requests the way the settings of now want it. */
  #handler: RequestHandler;

  /** Starts to serve. */
  constructor(parts: WorkerParts) {
    keepCompilerCalm();
    keepSecret(secretsOf(parts.settings));
    const { id, settings, log, sockets, clientSlots, totals, loaded, suspects, reading, onLoaded, send } = parts;
    this.#parts = parts;
    const clients = new ClientRegistry(id, totals);
    clients.examinesAlways = settings.streamHealth;
    this.#clients = clients;
    this.#hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: settings.fastStart, log });
    this.#accessLogFile = new AccessLogFile(log);
    const onProcess = (pid: number, isRunning: boolean) => send({ kind: "helper", pid, isRunning });
    this.#ffmpeg = new Ffmpeg({ log, onProcess });
    this.#clientLimit = new ClientLimit(settings.maxClients, clientSlots, clients);
    this.#status = new WorkerStatus(clients, this.#hub.budget, log, send);
    this.#reach = this.#reachOf(settings);
    this.#playlists = new Playlists({
      log,
      reach: () => this.#reach,
      isLoader: onLoaded !== undefined,
      suspects,
      reading,
      onProcess,
      ...(onLoaded && { onLoaded }),
      onListed: (channels, failed) => send({ kind: "channels", loaded: { channels, failed } }),
    });
    this.#configurePlaylists(settings);
    for (const copy of loaded) this.accept(copy);
    this.#accessControl = new AccessControl(settings, log);
    this.#handler = this.#routes(settings);
    const handler: RequestHandler = (request, connection) => this.#handler(request, connection);
    const errorResponse = (status: number) => this.#accessControl.errorResponse(status);
    const table = new ConnectionTable(connectionLimits(settings), log);
    this.#connections = table;
    reportLimits(table.limits, log);
    this.#listeners = sockets.map(({ fd }) => listen({ fd, handler, log, errorResponse, table }));
    log.info(`Multicast receiver: ${RECEIVER_KIND}`);
    this.#cancelSettling = settleAfterStart();
    this.#endCollecting = collectGrowth();
    log.info("Server initialization complete, ready to accept connections");
  }

  /** New requests are served by new settings; what runs goes on (config.md section 8). */
  reload(settings: Settings): void {
    keepSecret(secretsOf(settings));
    this.#accessLogFile.reopen();
    this.#clientLimit.limit = settings.maxClients;
    this.#connections.limits = connectionLimits(settings);
    reportLimits(this.#connections.limits, this.#parts.log);
    this.#hub.fastStart = settings.fastStart;
    this.#clients.examinesAlways = settings.streamHealth;
    this.#reach = this.#reachOf(settings);
    this.#configurePlaylists(settings);
    this.#accessControl = new AccessControl(settings, this.#parts.log);
    this.#handler = this.#routes(settings);
  }

  takeStatus(message: StatusToWorker): void {
    this.#status.take(message);
  }

  /** Another worker has loaded something. */
  accept(loaded: Loaded): void {
    runDetached(this.#parts.log, "Taking over playlists", this.#playlists.accept(loaded));
  }

  /** Closes every connection and socket at once. Resolves when RTSP servers know it, or have had their time (rtsp.md section 11). */
  async stop(): Promise<void> {
    this.#cancelSettling();
    this.#endCollecting();
    for (const listener of this.#listeners) listener.stop();
    this.#playlists.close();
    this.#hub.close();
    this.#ffmpeg.close();
    await protocolsFinished(FINISH_MS);
  }

  #configurePlaylists(settings: Settings): void {
    runDetached(this.#parts.log, "Reading playlists", this.#playlists.configure(playlistSettings(settings)));
  }

  #routes(settings: Settings): RequestHandler {
    const { log } = this.#parts;
    const { feed, control } = this.#status;
    const playlists = this.#playlists;
    const seal = new LinkSeal(this.#parts.linkKey);
    const links = { ...ownLinks(settings, () => this.#localAddress(settings)), seal, sealsAll: !settings.udpxy };
    const media = this.#media(settings, links);
    const routes: (Route | ControlRoute)[] = [
      manifestsRoute(settings),
      pagesRoute(settings, site),
      faviconRoute(site),
      statusEventsRoute(feed, settings.statusPagePath),
      statusApiRoute(control, settings.statusPagePath),
      indexRoute(playlists, settings),
      playlistRoute(playlists, links),
      guideRoute(playlists.guide),
      channelRoute({
        playlists,
        log,
        serve: (exchange, url, serviceUrl, prescribed) => serveMedia(media, exchange, url, serviceUrl, prescribed),
      }),
      mediaRoute(media, { udpxy: settings.udpxy, seal, channels: () => playlists.channels }),
      invalidNameRoute,
    ];
    return router({ accessControl: this.#accessControl, routes, assets: assetsRoute(site), log });
  }

  #media(settings: Settings, links: OwnLinks): MediaParts {
    const { accessLog, logFormat, videoSnapshot } = settings;
    const { log } = this.#parts;
    return {
      hub: this.#hub,
      planners: planners(settings, { log, links, reach: this.#reach }),
      clientLimit: this.#clientLimit,
      accessLog: new AccessLog(this.#accessLogFile, accessLog, logFormat),
      snapshots: videoSnapshot ? { ffmpeg: this.#ffmpeg, options: settings } : undefined,
      log,
    };
  }

  #reachOf(settings: Settings): Reach {
    const { sockets } = this.#parts;
    const isOurPort = (port: number) => sockets.some((socket) => "port" in socket && socket.port === port);
    return new Reach(settings, (address, port) => isOurPort(port) && isOwnAddress(address));
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
