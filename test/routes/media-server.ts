/** The media route with planners of the test's choice, behind a real HTTP listener. */

import { defaultDraft } from "../../src/config/options.ts";
import type { SettingValues } from "../../src/config/settings.ts";
import { Hub } from "../../src/relay/hub.ts";
import type { UpstreamParent } from "../../src/relay/upstream.ts";
import { AccessControl, type AccessControlOptions } from "../../src/routes/access-control.ts";
import { AccessLog } from "../../src/routes/access-log.ts";
import { ClientLimit } from "../../src/routes/client-limit.ts";
import { type MediaParts, mediaRoute } from "../../src/routes/media.ts";
import { ownLinks } from "../../src/routes/own-links.ts";
import { router } from "../../src/routes/router.ts";
import type { Snapshots } from "../../src/routes/snapshot.ts";
import { ClientRegistry } from "../../src/status/clients.ts";
import { SharedSlots } from "../../src/status/shared-slots.ts";
import { AccessLogFile } from "../../src/system/access-log-file.ts";
import type { Reach } from "../../src/system/reach.ts";
import type { PlannedUpstream } from "../../src/upstream/planner.ts";
import { PROTOCOLS, type Protocol, planners } from "../../src/upstream/plans.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { type FakeUpstream, fakePlan } from "../fakes/upstream.ts";
import { TestServer } from "../http/serve.ts";

const WAIT_MS = 5000;

export interface MediaServerOptions {
  readonly protocols?: readonly Protocol[];
  readonly settings?: Partial<SettingValues>;
  readonly snapshots?: Snapshots;
  readonly reach?: Reach;
}

export class MediaServer {
  readonly log: string[] = [];
  readonly clients = new ClientRegistry();
  readonly hub: Hub;
  readonly clientLimit: ClientLimit;
  readonly server: TestServer;

  constructor({ protocols = PROTOCOLS, settings: given, snapshots, reach = OPEN_REACH }: MediaServerOptions = {}) {
    const settings: SettingValues & AccessControlOptions = { ...defaultDraft().values, ...given };
    const log = recordingLog(this.log);
    this.hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: settings.fastStart, log });
    this.clientLimit = new ClientLimit(settings.maxClients, new SharedSlots(), this.clients);
    const links = ownLinks(settings, () => ({ host: "relay", port: 5140 }));
    const media: MediaParts = {
      hub: this.hub,
      planners: planners(settings, { log, links, reach }, protocols),
      clientLimit: this.clientLimit,
      accessLog: new AccessLog(new AccessLogFile(log), undefined, ""),
      snapshots,
      log,
    };
    this.server = new TestServer(
      router({ accessControl: new AccessControl(settings, log), routes: [mediaRoute(media)], log }),
    );
  }

  async request(target: string, method = "GET", headers: Readonly<Record<string, string>> = {}): Promise<HttpClient> {
    const client = await this.server.connect();
    client.request(method, target, headers);
    return client;
  }

  /** The log's warnings and errors. */
  get complaints(): string[] {
    return this.log.filter((line) => /^(WARN|ERROR)/.test(line));
  }

  /** Waits until nothing is open, no client has a place and no memory is used. */
  async idle(): Promise<void> {
    const { hub, clientLimit } = this;
    await until(() => hub.size === 0 && clientLimit.count === 0, WAIT_MS, "all clients to be gone");
    await until(() => hub.budget.usedBytes === 0 && hub.budget.streams === 0, WAIT_MS, "all memory to be free");
    if (hub.tick.isRunning) throw new Error("the tick still runs");
  }

  [Symbol.dispose](): void {
    this.server[Symbol.dispose]();
    this.hub.close();
  }
}

/** `fake:` URLs lead to the upstreams that `make` makes; what they bring is the test's business. */
export function fakeProtocol(
  make: (url: string) => FakeUpstream,
  options: Partial<PlannedUpstream> & { readonly onOpen?: (parent: UpstreamParent) => void } = {},
): Protocol {
  const { onOpen, ...rest } = options;
  return {
    schemes: ["fake"],
    isServable: () => true,
    planner:
      () =>
      ({ url }) => ({
        ...fakePlan(make(url), { ...(onOpen && { open: onOpen }) }),
        firstState: CLIENT_STATE.connecting,
        countsAsClient: true,
        canSnapshot: true,
        accessLog: { serviceType: "fake", url },
        ...rest,
      }),
  };
}
