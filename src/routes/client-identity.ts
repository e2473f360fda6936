/** Who a media client is, in the words of the status page and the access log (status.md section 3, config.md section 14). */
import { withoutTokenWord } from "../http/token.ts";
import type { ClientIdentity } from "../status/clients.ts";
import { cutUtf8 } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { SHOWN_MAX_BYTES, shownUrl } from "../upstream/shown-url.ts";
import { asByteString, type ByteString, utf8Decode } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import type { Exchange } from "./route.ts";

const ADDRESS_MAX_BYTES = 127;

export function clientIdentity(exchange: Exchange, kind: string): ClientIdentity {
  return {
    address: cutUtf8(utf8Decode(asByteString(shown(exchange.clientAddress))), ADDRESS_MAX_BYTES),
    serviceUrl: shownUrl(serviceUrl(exchange)),
    userAgent: cutUtf8(utf8Decode(userAgent(exchange)), SHOWN_MAX_BYTES),
    kind,
  };
}

/** Path without prefix, label and a trailing slash, decoded, and the query without the token; nothing secret, at most 255 bytes. */
export function serviceUrl({ path, query }: Exchange): ByteString {
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  const url = asByteString((percentDecode(trimmed) ?? trimmed) + (query === "" ? "" : `?${query}`));
  return shown(url).slice(0, SHOWN_MAX_BYTES);
}

/** Without the token, and what else is secret. */
export function userAgent({ request }: Exchange): ByteString {
  return asByteString(shown(withoutTokenWord(request.header("user-agent") ?? "")));
}
