/** The RTSP route behind a real HTTP listener, with players that check what they are sent. */

import { Hub } from "../../src/relay/hub.ts";
import { AccessControl } from "../../src/routes/access-control.ts";
import { AccessLog } from "../../src/routes/access-log.ts";
import { ClientLimit } from "../../src/routes/client-limit.ts";
import { mediaRoute } from "../../src/routes/media.ts";
import { router } from "../../src/routes/router.ts";
import { ClientRegistry } from "../../src/status/clients.ts";
import { SharedSlots } from "../../src/status/shared-slots.ts";
import { AccessLogFile } from "../../src/system/access-log-file.ts";
import { type RtspSettings, rtspPlanner } from "../../src/upstream/rtsp/planner.ts";
import type { HttpClient, HttpHead } from "../fakes/http-client.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import type { RtspServer } from "../fakes/rtsp-server.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { TestServer } from "../http/serve.ts";
import { SETTINGS } from "../upstream/rtsp/viewer.ts";
import { OPEN } from "./routed-server.ts";

const WAIT_MS = 6000;
const NO_LINKS = { rules: { trustsForwarded: false }, encodedToken: undefined } as never;

export interface RelayOptions extends Partial<RtspSettings> {
  readonly corsAllowOrigin?: string;
  /** Default 8. */
  readonly maxClients?: number;
  /** `-b`, default 16384. */
  readonly bufferSlots?: number;
}

export class Relay {
  readonly log: string[] = [];
  readonly hub: Hub;
  readonly clientLimit: ClientLimit;
  readonly clients = new ClientRegistry();
  readonly #server: TestServer;

  constructor({ corsAllowOrigin, maxClients = 8, bufferSlots = 16_384, ...settings }: RelayOptions = {}) {
    const log = recordingLog(this.log);
    this.hub = new Hub({ bufferSlots, fastStart: false, log });
    this.clientLimit = new ClientLimit(maxClients, new SharedSlots(), this.clients);
    const accessLog = new AccessLog(new AccessLogFile(log), undefined, "");
    const { hub, clientLimit } = this;
    const planner = rtspPlanner({ ...SETTINGS, ...settings }, { log, links: NO_LINKS, reach: OPEN_REACH });
    const parts = { hub, clientLimit, log, accessLog, snapshots: undefined, planners: new Map([["rtsp", planner]]) };
    const accessControl = new AccessControl({ ...OPEN, corsAllowOrigin }, log);
    this.#server = new TestServer(router({ accessControl, routes: [mediaRoute(parts)], log }));
  }

  /** The head of the answer to a request for a path of an RTSP server. */
  async ask(server: RtspServer, path = "/ch", method = "GET"): Promise<{ head: HttpHead; body: Buffer }> {
    using client = await this.request(targetOf(server, path), method);
    return await client.response(WAIT_MS);
  }

  async request(target: string, method = "GET", headers: Readonly<Record<string, string>> = {}): Promise<HttpClient> {
    const client = await this.#server.connect();
    client.request(method, target, headers);
    return client;
  }

  /** A player of a path of an RTSP server. */
  async play(server: RtspServer, path = "/ch"): Promise<Player> {
    return new Player(await this.request(targetOf(server, path)));
  }

  /** Waits until no client has a place and no memory is used. */
  async idle(): Promise<void> {
    await until(() => this.clientLimit.count === 0, WAIT_MS, "all places to be free");
    await until(() => this.hub.budget.usedBytes === 0, WAIT_MS, "all memory to be free");
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
    this.hub.close();
  }
}

function targetOf(server: RtspServer, path: string): string {
  return server.url(path).replace("rtsp://", "/rtsp/");
}

/** Reads the stream of one client. */
export class Player {
  readonly client: HttpClient;
  readonly verifier = new TsVerifier(1);
  head: HttpHead | undefined;

  constructor(client: HttpClient) {
    this.client = client;
  }

  /** Waits for the head and then for so many packets. */
  async playing(packets = 50): Promise<HttpHead> {
    if (!this.head) {
      this.head = await this.client.head(WAIT_MS);
      this.client.stream((chunk) => this.verifier.push(chunk));
    }
    await until(() => this.verifier.packets >= packets || this.client.state !== "open", WAIT_MS, `${packets} packets`);
    return this.head;
  }

  async ended(): Promise<void> {
    await until(() => this.client.state !== "open", WAIT_MS, "the end of the stream");
    this.verifier.end();
    this.client.close();
  }

  [Symbol.dispose](): void {
    this.client.destroy();
  }
}
