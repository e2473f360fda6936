/** The page at `/`: the channels with links, and what to open when there are none. */
import { type ChannelList, pathOfChannel } from "../playlist/channels.ts";
import type { Playlists } from "../playlist/playlists.ts";
import { escapeHtml } from "../wire/http/html.ts";
import { utf8Decode } from "../wire/text/byte-string.ts";
import type { PathPrefix } from "../wire/url/path-prefix.ts";
import { framePolicy, hashSource, pageResponse } from "./page-response.ts";
import type { Route } from "./route.ts";

/** More would be no page for people; the playlist has them all. */
const MAX_LISTED_CHANNELS = 1000;
/** Of all links; names may be of any length. */
const MAX_LINKS_CHARS = 512 * 1024;

interface IndexOptions {
  readonly appPathPrefix: PathPrefix | undefined;
  readonly corsAllowOrigin: string | undefined;
  /** With one leading slash. A page whose path is `/` is asked before this route. */
  readonly statusPagePath: string;
  readonly playerPagePath: string;
}

export function indexRoute(playlists: Pick<Playlists, "channels">, options: IndexOptions): Route {
  let made: { readonly list: ChannelList; readonly html: Uint8Array } | undefined;
  return ({ path, connection }) => {
    if (path !== "/") return false;
    const { channels: list } = playlists;
    if (made?.list !== list) made = { list, html: Buffer.from(indexPage(list, options)) };
    const policy = { ...framePolicy(options.corsAllowOrigin), "style-src": hashSource(STYLE), "img-src": "'self'" };
    connection.respond(pageResponse(made.html, policy));
    return true;
  };
}

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}" +
  "h1{font-size:1.4rem}nav a{margin-right:1.5rem}li{margin:.4rem 0}code{font-size:.9em}";

function indexPage({ main: channels }: ChannelList, options: IndexOptions): string {
  const { appPathPrefix: prefix = "", statusPagePath, playerPagePath } = options;
  const items: string[] = [];
  let room = MAX_LINKS_CHARS;
  for (const channel of channels.slice(0, MAX_LISTED_CHANNELS)) {
    const item = `<li>${link(`${prefix}/${pathOfChannel(channel)}`, utf8Decode(channel.name))}</li>`;
    room -= item.length;
    if (room < 0) break;
    items.push(item);
  }
  const content =
    channels.length > 0
      ? `<p>Open a channel in VLC, mpv, Kodi or any other player, or ${playlistHint(prefix, channels.length - items.length)}:</p><ul>${items.join("")}</ul>`
      : "<p>The relay runs. Open <code>/rtp/GROUP:PORT</code> on this address in VLC, mpv, Kodi or any other player.</p>";
  const pages = link(prefix + playerPagePath, "Web player") + link(prefix + statusPagePath, "Status");
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>sluice</title>' +
    `<style>${STYLE}</style></head><body><h1>sluice</h1><nav>${pages}</nav>${content}</body></html>\n`
  );
}

function link(path: string, name: string): string {
  return `<a href="${escapeHtml(path)}">${escapeHtml(name)}</a>`;
}

function playlistHint(prefix: string, hidden: number): string {
  const playlist = link(`${prefix}/playlist.m3u`, "the playlist");
  return hidden > 0 ? `${playlist}, which has ${hidden} more` : `${playlist} of all`;
}
