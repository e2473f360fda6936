/** Channels by name, `/News/One`: the request's query is merged into the playlist's URL, whose protocol then serves it (http.md section 13). */
import { errorResponse } from "../http/response.ts";
import type { Channel } from "../playlist/channels.ts";
import type { Playlists } from "../playlist/playlists.ts";
import { LOG_DEBUG, LOG_INFO, type Log } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { mergeServiceQuery } from "../timeshift/service-query.ts";
import type { PrescribedHeaders } from "../upstream/planner.ts";
import { type ByteString, utf8Decode } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import type { Exchange, Route } from "./route.ts";

/**
 * Serves a URL of whatever protocol.
 * @param serviceUrl the URL before the request's query was merged into it
 */
export type ServeUrl = (
  exchange: Exchange,
  url: ByteString,
  serviceUrl: ByteString,
  prescribed: PrescribedHeaders | undefined,
) => void;

interface ChannelParts {
  readonly playlists: Pick<Playlists, "channels">;
  readonly log: Log;
  readonly serve: ServeUrl;
}

export function channelRoute(parts: ChannelParts): Route {
  return (exchange) => {
    const channel = parts.playlists.channels.find(exchange.path);
    if (channel === undefined || channel === "invalid") return false;
    serveChannel(parts, exchange, channel, parts.playlists.channels.prescribed(channel.name));
    return true;
  };
}

function serveChannel(
  parts: ChannelParts,
  exchange: Exchange,
  { name, url: serviceUrl }: Channel,
  prescribed: PrescribedHeaders | undefined,
): void {
  const { log } = parts;
  const scheme = serviceUrl.slice(0, serviceUrl.indexOf(":")).toUpperCase();
  if (log.level >= LOG_INFO) log.info(`Service matched: ${utf8Decode(name)}`);
  const url = mergeServiceQuery(serviceUrl, exchange.query);
  if (url === undefined) {
    log.error(`Merged ${scheme} URL too long`);
    log.error("Failed to merge query params for service");
    exchange.connection.respond(errorResponse(500));
    return;
  }
  if (log.level >= LOG_DEBUG) log.debug(`Creating ${scheme} service with merged URL: ${shown(url)}`);
  parts.serve(exchange, url, serviceUrl, prescribed);
}

/** Behind all other routes: a path that is none of theirs and cannot be a name either is answered 400 (http.md section 9). */
export const invalidNameRoute: Route = ({ path, connection }) => {
  if (percentDecode(path) !== undefined) return false;
  connection.respond(errorResponse(400));
  return true;
};
