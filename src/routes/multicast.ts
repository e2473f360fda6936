/** `/rtp/…` and `/udp/…`: a multicast group as an HTTP stream (http.md section 10, multicast.md sections 1 and 10). */
import { completeHeaders, emitHead, errorResponse } from "../http/response.ts";
import type { RtpCounts } from "../status/upstreams.ts";
import { RECEIVER_KIND } from "../system/datagram-receiver.ts";
import { resolveHost } from "../system/resolve.ts";
import { MulticastError } from "../upstream/multicast/errors.ts";
import { type MulticastOptions, MulticastSession, type MulticastTarget } from "../upstream/multicast/session.ts";
import { type MulticastUrl, parseMulticastUrl } from "../upstream/multicast/url.ts";
import { maskToken } from "../wire/http/token-mask.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import { CLIENT_STATE } from "../wire/status/client-state.ts";
import { percentDecode } from "../wire/url/percent.ts";
import { queryParameter } from "../wire/url/query.ts";
import { shownUrl } from "./client-identity.ts";
import { type Admitted, admit } from "./client-limit.ts";
import { requestedInterface } from "./interface-parameter.ts";
import { MediaClient } from "./media-client.ts";
import type { MediaParts } from "./media-parts.ts";
import type { Exchange, Route } from "./route.ts";
import { type Snapshots, snapshotOr } from "./snapshot.ts";
import { streamHeaders } from "./stream-headers.ts";

export interface MulticastRouteOptions extends MulticastOptions {
  /** Interface when the request names none; undefined leaves it to the routing table. */
  readonly interfaceName: string | undefined;
}

export interface MulticastParts extends MediaParts {
  readonly options: MulticastRouteOptions;
  readonly snapshots?: Snapshots | undefined;
}

const RESOLVE_TIMEOUT_MS = 3000;
const PREFIX = /^\/(rtp|udp)\//;
const URL_PARTS = /^(rtp|udp):\/\/([^?]*)\??(.*)$/s;

export function multicastRoute(parts: MulticastParts): Route {
  return (exchange) => {
    const match = PREFIX.exec(exchange.path);
    if (!match) return false;
    serveMulticast(parts, exchange, `${match[1]}://${exchange.path.slice(match[0].length)}?${exchange.query}`);
    return true;
  };
}

/**
 * Answers with the stream of a URL.
 * @param url `rtp://…` or `udp://…` with all parameters of the request
 */
export function serveMulticast(parts: MulticastParts, exchange: Exchange, url: string): void {
  const [, scheme, rest = "", query = ""] = URL_PARTS.exec(url) ?? [];
  const text = percentDecode(rest);
  const address = text === undefined ? undefined : parseMulticastUrl(text);
  // An `fcc` parameter without a server makes no sense to anybody; with one it is ignored until we can use it.
  if (!address || queryParameter(query, "fcc") === "") exchange.connection.respond(errorResponse(404));
  else serve(parts, exchange, maskToken(`${scheme}://${text}`), address, query);
}

function serve(parts: MulticastParts, exchange: Exchange, name: string, address: MulticastUrl, query: string): void {
  const { request, connection, isCors } = exchange;
  if (request.method === "HEAD") {
    // Nothing is joined: only what is known without asking.
    connection.respond({ status: 200, headers: streamHeaders({ protocol: "multicast" }, isCors) });
    return;
  }
  const admitted = admit(parts, exchange, "multicast", CLIENT_STATE.connecting);
  if (!admitted) return;
  connection.onClose = admitted.leave;
  parts.accessLog.admitted(exchange, "rtp", name);
  const interfaceName = requestedInterface(query, parts.log) ?? parts.options.interfaceName;
  resolveTarget(name, address, interfaceName).then(
    (target) => {
      if (!connection.isClosed) join(parts, exchange, target, admitted);
    },
    (error: Error) => {
      parts.log.error(`${name}: ${error.message}`);
      admitted.client.state = CLIENT_STATE.error;
      connection.respond(errorResponse(404));
    },
  );
}

function join(
  { hub, options, log, snapshots }: MulticastParts,
  exchange: Exchange,
  target: MulticastTarget,
  admitted: Admitted,
): void {
  const { connection, isCors } = exchange;
  const { client, leave } = admitted;
  let rtp: RtpCounts | undefined;
  try {
    const subscription = hub.join(
      streamKey(target),
      (parent) => {
        const session = new MulticastSession(parent, target, options, log, performance.now());
        rtp = session.input.reorder.counts;
        return session;
      },
      (upstream) => {
        const headers = () => streamHeaders(upstream.info, isCors);
        const stream = new MediaClient(connection, log, () => {
          client.state = CLIENT_STATE.multicastActive;
          return emitHead(200, completeHeaders(headers(), connection.standingHeaders));
        });
        return snapshotOr(stream, exchange, snapshots, headers);
      },
    );
    client.fed(subscription.queue, subscription.flow, {
      kind: "multicast",
      url: shownUrl(target.name),
      interfaceName: target.interfaceName,
      receiver: options.receiver ?? RECEIVER_KIND,
      rtp: () => rtp,
    });
    connection.onWritable = subscription.drained;
    connection.onClose = () => {
      subscription.close();
      leave();
    };
    // The first write may have found the client gone.
    if (connection.isClosed) subscription.close();
  } catch (error) {
    if (!(error instanceof MulticastError)) throw error;
    log.error(error.message);
    client.state = CLIENT_STATE.error;
    connection.respond(errorResponse(503));
  }
}

/** Requests with the same key share one upstream. */
function streamKey({ group, port, source, interfaceName }: MulticastTarget): string {
  const from = source ? `${formatIpAddress(source)}@` : "";
  return `multicast ${from}${formatIpAddress(group)} ${port} ${interfaceName ?? ""}`;
}

async function resolveTarget(name: string, url: MulticastUrl, interfaceName?: string): Promise<MulticastTarget> {
  const group = await resolve(url.group);
  const source = url.source === undefined ? undefined : await resolve(url.source);
  return {
    name,
    group,
    port: url.port,
    ...(source && { source }),
    ...(interfaceName !== undefined && { interfaceName }),
  };
}

async function resolve(host: string): Promise<IpAddress> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`name ${host} not resolved within 3 s`)), RESOLVE_TIMEOUT_MS);
  try {
    const [address] = await Promise.race([resolveHost(host), late]);
    if (!address) throw new Error(`name ${host} resolved to something that is no address`);
    return address;
  } finally {
    clearTimeout(timer);
  }
}
