/** Host names in other letters than ASCII (RFC 5891), in UTF-8 or percent-encoded, as they are asked for. */
import { asByteString, utf8Decode } from "../text/byte-string.ts";
import { percentDecode } from "./percent.ts";

const NOT_ASCII = /[%\x80-\xff]/;
const HOST_AND_PORT = /^([^:]*)(:\d*)?$/;
/** What would end a host, or is none of its characters; U+FFFD: it was no UTF-8. */
const NO_HOST = /[\0-\x20#%/:?@[\\\]\x7f\ufffd]/;

/**
 * A host with or without port; ASCII stays as it is. Undefined for what is no name.
 * @param text byte string
 */
export function asciiHost(text: string): string | undefined {
  if (!NOT_ASCII.test(text)) return text;
  const [, name = "", port = ""] = HOST_AND_PORT.exec(text) ?? [];
  const bytes = percentDecode(asByteString(name));
  const decoded = bytes === undefined ? "" : utf8Decode(bytes);
  if (decoded === "" || NO_HOST.test(decoded)) return undefined;
  const host = URL.parse(`http://${decoded}/`)?.hostname;
  return host ? host + port : undefined;
}
