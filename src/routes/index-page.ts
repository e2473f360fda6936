/** The page at `/`: the channels with links, and what to open when there are none. */
import { escapeHtml } from "../wire/html.ts";
import { hashSource, pageResponse } from "./page-response.ts";
import type { Route } from "./route.ts";

export interface IndexChannel {
  readonly name: string;
  /** Path on this server, e.g. `/rtp/239.1.1.1:5000`. */
  readonly path: string;
}

export interface IndexOptions {
  /** Of all paths: begins with `/` and does not end in one. */
  readonly appPathPrefix: string | undefined;
  /** With one leading slash. A page whose path is `/` is asked before this route. */
  readonly statusPagePath: string;
  readonly playerPagePath: string;
}

export function indexRoute(channels: readonly IndexChannel[], options: IndexOptions): Route {
  const { appPathPrefix: prefix = "", statusPagePath, playerPagePath } = options;
  const html = indexPage(
    channels.map(({ name, path }) => ({ name, path: prefix + path })),
    pageLink(prefix + playerPagePath, "Web player") + pageLink(prefix + statusPagePath, "Status"),
  );
  return ({ path, connection }) => {
    if (path !== "/") return false;
    connection.respond(pageResponse(html, { "style-src": hashSource(STYLE), "img-src": "'self'" }));
    return true;
  };
}

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}" +
  "h1{font-size:1.4rem}nav a{margin-right:1.5rem}li{margin:.4rem 0}code{font-size:.9em}small{opacity:.7}";

function pageLink(path: string, name: string): string {
  return `<a href="${escapeHtml(path)}">${name}</a>`;
}

function indexPage(channels: readonly IndexChannel[], pageLinks: string): string {
  const items = channels.map(
    ({ name, path }) =>
      `<li><a href="${escapeHtml(path)}">${escapeHtml(name)}</a> <small><code>${escapeHtml(path)}</code></small></li>`,
  );
  const list =
    items.length > 0
      ? `<p>Open a channel in VLC, mpv, Kodi or any other player:</p><ul>${items.join("")}</ul>`
      : "<p>The relay runs. Open <code>/rtp/GROUP:PORT</code> on this address in VLC, mpv, Kodi or any other player.</p>";
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>sluice</title>' +
    `<style>${STYLE}</style></head><body><h1>sluice</h1><nav>${pageLinks}</nav>${list}</body></html>\n`
  );
}
