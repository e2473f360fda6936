/** Who a media client is, in the words of the status page and the access log (status.md section 3, config.md section 14). */
import type { ClientIdentity } from "../status/clients.ts";
import { cutUtf8 } from "../system/log.ts";
import { withoutTokenWord } from "../wire/http/token.ts";
import { maskToken } from "../wire/http/token-mask.ts";
import { percentDecode, utf8Decode } from "../wire/url/percent.ts";
import type { Exchange } from "./route.ts";

const ADDRESS_MAX_BYTES = 127;
/** Longest `$service_url`, and whatever else of a request is shown. */
const SERVICE_URL_MAX_BYTES = 255;

export function clientIdentity(exchange: Exchange, kind: string): ClientIdentity {
  return {
    address: cutUtf8(utf8Decode(exchange.clientAddress), ADDRESS_MAX_BYTES),
    serviceUrl: shownUrl(serviceUrl(exchange)),
    userAgent: cutUtf8(utf8Decode(userAgent(exchange)), SERVICE_URL_MAX_BYTES),
    kind,
  };
}

/** Path without prefix, label and a trailing slash, decoded, and the query without the token; a byte string of at most 255. */
export function serviceUrl({ path, query }: Exchange): string {
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  const url = (percentDecode(trimmed) ?? trimmed) + (query === "" ? "" : `?${query}`);
  return url.slice(0, SERVICE_URL_MAX_BYTES);
}

/** Without the token; a byte string. */
export function userAgent({ request }: Exchange): string {
  return withoutTokenWord(request.header("user-agent") ?? "");
}

/** A URL, which is a byte string, as text for the status page: at most 255 bytes, and no token even in URLs within it. */
export function shownUrl(url: string): string {
  return cutUtf8(utf8Decode(maskToken(url)), SERVICE_URL_MAX_BYTES);
}
