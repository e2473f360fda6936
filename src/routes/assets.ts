/** `/assets/NAME` and `/favicon.ico`: what the pages are made of (http.md sections 21 and 22). */
import { errorResponse } from "../http/response.ts";
import { type Asset, CODINGS, type Coding, type Site } from "../web/site.ts";
import { chooseCoding } from "../wire/http/accept-encoding.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import { isNotModified, validatorHeaders } from "./conditional.ts";
import type { Exchange, Route } from "./route.ts";

const PREFIX = "/assets/";
const FAVICON_PATH = "/favicon.ico";
const FAVICON = "icon-192.png";
const FOR_EVER: HeaderField = ["Cache-Control", "public, max-age=31536000, immutable"];

export function assetsRoute(site: () => Promise<Site>): Route {
  return (exchange) => {
    if (!exchange.path.startsWith(PREFIX)) return false;
    respond(exchange, site, exchange.path.slice(PREFIX.length));
    return true;
  };
}

/** Browsers that have not seen a page of ours look for the icon there. */
export function faviconRoute(site: () => Promise<Site>): Route {
  return (exchange) => {
    if (exchange.path !== FAVICON_PATH) return false;
    respond(exchange, site, FAVICON);
    return true;
  };
}

function respond(exchange: Exchange, site: () => Promise<Site>, name: string): void {
  site()
    .then(({ assets }) => {
      const asset = assets.get(name);
      return asset ? respondAsset(exchange, asset) : exchange.connection.respond(errorResponse(404));
    })
    .catch((error: unknown) => exchange.connection.failed(error));
}

async function respondAsset(exchange: Exchange, { type, etag, content }: Asset): Promise<void> {
  const { request, connection } = exchange;
  if (etag !== undefined && isNotModified(exchange, etag)) return;
  const codings = CODINGS.filter((coding) => content[coding] !== undefined);
  const coding = chooseCoding(request.header("accept-encoding"), codings);
  const body = await bytesOf(content[coding] ?? content.identity);
  connection.respond({
    status: 200,
    headers: [
      ["Content-Type", type],
      ["Content-Length", String(body.length)],
      ...codingHeaders(coding, codings),
      ...(etag === undefined ? [FOR_EVER] : validatorHeaders(etag)),
      ["X-Content-Type-Options", "nosniff"],
    ],
    body,
  });
}

function codingHeaders(coding: Coding, codings: readonly Coding[]): HeaderField[] {
  const vary: HeaderField[] = codings.length > 1 ? [["Vary", "Accept-Encoding"]] : [];
  return coding === "identity" ? vary : [["Content-Encoding", coding], ...vary];
}

/** What was asked for once stays in memory, a megabyte at most: many clients that take their time share the same bytes. */
const loaded = new WeakMap<Blob, Promise<Uint8Array>>();

function bytesOf(blob: Blob): Promise<Uint8Array> {
  const bytes = loaded.get(blob) ?? blob.bytes();
  loaded.set(blob, bytes);
  return bytes;
}
