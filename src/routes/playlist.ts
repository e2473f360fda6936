/** `/playlist.m3u`: all channels, with URLs that lead back here by the way the client came (m3u.md section 8). */
import { errorResponse } from "../http/response.ts";
import type { Playlists } from "../playlist/playlists.ts";
import type { OwnLinks } from "../upstream/planner.ts";
import { baseUrl } from "../wire/url/base-url.ts";
import { withoutTrailingSlash } from "../wire/url/path-prefix.ts";
import { isNotModified, validatorHeaders } from "./conditional.ts";
import type { Exchange, Route } from "./route.ts";

const PATH = "/playlist.m3u";

type PublishedLists = Pick<Playlists, "published" | "guide">;

export function playlistRoute(playlists: PublishedLists, links: OwnLinks): Route {
  return (exchange) => {
    if (withoutTrailingSlash(exchange.path) !== PATH) return false;
    answer(playlists, links, exchange);
    return true;
  };
}

function answer({ published, guide }: PublishedLists, links: OwnLinks, exchange: Exchange): void {
  const { request, connection } = exchange;
  if (published.isEmpty) {
    connection.respond(errorResponse(404));
    return;
  }
  const base = baseUrl(request.headers, links.rules);
  const etag = published.etag(base, guide.kind);
  if (isNotModified(exchange, etag)) return;
  const { bytes, pieces } = published.body(base, guide.kind);
  connection.respond({
    status: 200,
    headers: [["Content-Type", "audio/x-mpegurl"], ["Content-Length", String(bytes)], ...validatorHeaders(etag)],
    pieces,
  });
}
