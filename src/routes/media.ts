/** Every URL of media, of whatever protocol: admits the client, joins it to the stream, answers (http.md sections 10 to 14). */
import { errorResponse } from "../http/response.ts";
import type { ChannelList } from "../playlist/channels.ts";
import type { Consumer } from "../relay/consumer.ts";
import type { Hub } from "../relay/hub.ts";
import type { Log } from "../system/log.ts";
import type { PlannedUpstream, PrescribedHeaders } from "../upstream/planner.ts";
import type { Planners } from "../upstream/plans.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import type { LinkSeal } from "../wire/url/link-seal.ts";
import type { AccessLog } from "./access-log.ts";
import { type Admitted, admit, type ClientLimit } from "./client-limit.ts";
import { MediaClient } from "./media-client.ts";
import type { Exchange, Route } from "./route.ts";
import { SnapshotClient, type Snapshots, snapshotTrigger } from "./snapshot.ts";

/** What a stream for a client needs of the worker. */
export interface MediaParts {
  readonly hub: Hub;
  readonly planners: Planners;
  readonly clientLimit: ClientLimit;
  readonly accessLog: AccessLog;
  /** Undefined: there are no pictures, whatever is asked for. */
  readonly snapshots: Snapshots | undefined;
  readonly log: Log;
}

/** What decides of URLs that come whole from a client. */
interface OwnLinkParts {
  /** Whether any URL may be asked for; else only links of our own. */
  readonly udpxy: boolean;
  readonly seal: LinkSeal;
  readonly channels: () => Pick<ChannelList, "prescribed">;
}

const PATH = /^\/([a-z]+)\/(.*)$/s;

/** `/rtp/…`, `/http/…` and the like: whatever scheme has a planner. */
export function mediaRoute(parts: MediaParts, own?: OwnLinkParts): Route {
  return (exchange) => {
    const [, scheme = "", rest = ""] = PATH.exec(exchange.path) ?? [];
    if (!parts.planners.has(scheme)) return false;
    const link = own?.seal.check(exchange.path, exchange.query);
    // What this relay has written itself stays valid.
    if (own && !own.udpxy && !link) return false;
    const query = exchange.query === "" ? "" : `?${exchange.query}`;
    if (rest === "") exchange.connection.respond(errorResponse(404));
    else {
      const prescribed = link?.channel === undefined ? undefined : own?.channels().prescribed(link.channel);
      serveMedia(parts, exchange, asByteString(`${scheme}://${rest}${query}`), undefined, prescribed);
    }
    return true;
  };
}

/**
 * Answers with the stream of a URL.
 * @param url with all parameters of the request; a channel's with the request's query merged in
 * @param serviceUrl as the playlist has it; undefined for a URL that came whole from a client
 */
export function serveMedia(
  parts: MediaParts,
  exchange: Exchange,
  url: ByteString,
  serviceUrl?: ByteString,
  prescribed?: PrescribedHeaders,
): void {
  const { request, connection } = exchange;
  const { method, headers, body, minorVersion } = request;
  if (exchange.isForeignEmbed) {
    parts.log.warn(`${connection.peer}: media for a page of another site refused: --cors-allow-origin gives leave`);
    connection.respond(errorResponse(403));
    return;
  }
  const trigger = parts.snapshots && snapshotTrigger(exchange);
  const planner = parts.planners.get(url.slice(0, url.indexOf(":")));
  const isSnapshot = trigger !== undefined;
  const asker = { client: exchange.clientAddress, isHttp10: minorVersion === 0, nowMs: Date.now() };
  const asked = { url, serviceUrl, prescribed, path: exchange.path, method, headers, body, isSnapshot, ...asker };
  const plan = planner?.(asked) ?? { status: 404 };
  if ("status" in plan) {
    connection.respond(errorResponse(plan.status));
    return;
  }
  let admitted: Admitted | undefined;
  if (plan.countsAsClient) {
    admitted = admit(parts, exchange, plan);
    if (!admitted) return;
    parts.accessLog.admitted(exchange, plan.accessLog.serviceType, plan.accessLog.url);
  }
  const client = new MediaClient(connection, exchange.isCors, admitted?.client, parts.log);
  const { snapshots } = parts;
  const consumer =
    snapshots && trigger && plan.canSnapshot ? new SnapshotClient(client, connection, trigger, snapshots) : client;
  join(parts, exchange, plan, client, consumer, admitted);
}

function join(
  { hub }: MediaParts,
  { connection }: Exchange,
  plan: PlannedUpstream,
  client: MediaClient,
  consumer: Consumer,
  admitted: Admitted | undefined,
): void {
  const subscription = hub.join(plan, consumer);
  client.subscription = subscription;
  admitted?.client.fed(subscription, subscription.source);
  // The first write may have found the client gone.
  connection.whenClosed(() => {
    subscription.close();
    admitted?.leave();
  });
}
