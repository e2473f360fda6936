/** The page at `/`: the channels with links, and what to open when there are none. */
import { type ChannelList, pathOfChannel } from "../playlist/channels.ts";
import type { Playlists } from "../playlist/playlists.ts";
import { escapeHtml } from "../wire/html.ts";
import { percentEncode, utf8Decode } from "../wire/percent.ts";
import type { Route } from "./route.ts";

/** More would be no page for people; the playlist has them all. */
export const MAX_LISTED_CHANNELS = 1000;

export interface IndexChannel {
  readonly name: string;
  /** Path on this server, e.g. `/rtp/239.1.1.1:5000`. */
  readonly path: string;
}

/**
 * @param fixed channels that stand before those of the playlist
 * @param prefix byte string, of all paths: empty, or begins with `/` and does not end in one
 */
export function indexRoute(fixed: readonly IndexChannel[], playlists: Pick<Playlists, "channels">, prefix = ""): Route {
  let made: { readonly list: ChannelList; readonly body: string } | undefined;
  return ({ path, connection }) => {
    if (path !== "/") return false;
    const { channels: list } = playlists;
    if (made?.list !== list) made = { list, body: indexPage(fixed, list, percentEncode(prefix)) };
    connection.respond({
      status: 200,
      headers: [
        ["Content-Type", "text/html; charset=utf-8"],
        ["Connection", "close"],
        ["Content-Length", String(Buffer.byteLength(made.body))],
        ["Cache-Control", "no-cache"],
      ],
      body: made.body,
    });
    return true;
  };
}

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}" +
  "h1{font-size:1.4rem}li{margin:.4rem 0}code{font-size:.9em}small{opacity:.7}";

function indexPage(fixed: readonly IndexChannel[], list: ChannelList, prefix: string): string {
  const named = list.entries.flatMap(({ channel }) => channel ?? []);
  const items = [
    ...fixed.map(({ name, path }) =>
      link(prefix + path, name, ` <small><code>${escapeHtml(prefix + path)}</code></small>`),
    ),
    ...named
      .slice(0, MAX_LISTED_CHANNELS)
      .map((channel) => link(`${prefix}/${pathOfChannel(channel)}`, utf8Decode(channel.name))),
  ];
  const content =
    items.length > 0
      ? `<p>Open a channel in VLC, mpv, Kodi or any other player${named.length > 0 ? playlistHint(prefix, named.length) : ""}:</p><ul>${items.join("")}</ul>`
      : "<p>The relay runs. Open <code>/rtp/GROUP:PORT</code> on this address in VLC, mpv, Kodi or any other player.</p>";
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>sluice</title>' +
    `<style>${STYLE}</style></head><body><h1>sluice</h1>${content}</body></html>\n`
  );
}

function link(path: string, name: string, more = ""): string {
  return `<li><a href="${escapeHtml(path)}">${escapeHtml(name)}</a>${more}</li>`;
}

function playlistHint(prefix: string, count: number): string {
  const playlist = `<a href="${escapeHtml(prefix)}/playlist.m3u">the playlist</a>`;
  const hidden = count - MAX_LISTED_CHANNELS;
  return hidden > 0 ? `, or ${playlist}, which has ${hidden} more` : `, or ${playlist} of all`;
}
