/** `/epg.xml` and `/epg.xml.gz`: the programme guide, read from its file as fast as the client takes it (m3u.md section 9). */
import { SANDBOX } from "../http/foreign-content.ts";
import { busyResponse, errorResponse } from "../http/response.ts";
import type { Guide, OpenGuide } from "../playlist/guide.ts";
import { releasing } from "../playlist/streams.ts";
import { acceptsGzip } from "../wire/http/accept-encoding.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import { withoutTrailingSlash } from "../wire/url/path-prefix.ts";
import { isNotModified, validatorHeaders } from "./conditional.ts";
import type { Exchange, Route } from "./route.ts";
import { makeRoomForChunks, sendChunks } from "./sent-chunks.ts";

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ["/epg.xml", "application/xml"],
  ["/epg.xml.gz", "application/gzip"],
]);
const CODED: HeaderField = ["Content-Encoding", "gzip"];

export function guideRoute(guide: Pick<Guide, "open">): Route {
  return (exchange) => {
    const contentType = CONTENT_TYPES.get(withoutTrailingSlash(exchange.path));
    if (contentType === undefined) return false;
    const isFile = contentType === "application/gzip";
    const takesGzip = isFile || acceptsGzip(exchange.request.header("accept-encoding"));
    const packed = takesGzip ? guide.open("gzip") : undefined;
    const open = packed ?? (isFile ? undefined : guide.open("identity"));
    const headers: HeaderField[] = [["Content-Type", contentType]];
    if (packed && !isFile) headers.push(CODED);
    if (open) answer(exchange, open, headers);
    else exchange.connection.respond(errorResponse(404));
    return true;
  };
}

function answer(exchange: Exchange, { etag, bytes, chunks }: OpenGuide, about: readonly HeaderField[]): void {
  const { request, connection } = exchange;
  if (isNotModified(exchange, etag)) return;
  const length: HeaderField[] = bytes === undefined ? [] : [["Content-Length", String(bytes)]];
  const headers = [...about, ...length, ...validatorHeaders(etag), ...SANDBOX];
  if (request.method === "HEAD") connection.respond({ status: 200, headers });
  else if (!makeRoomForChunks()) connection.respond(busyResponse());
  else void sendChunks(connection, { status: 200, headers }, releasing(chunks));
}
