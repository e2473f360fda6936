/** Under which name the relay is known: the option `hostname` (http.md section 4; m3u.md section 7). */
import { formatIpAddress, parseIpAddress } from "../ip/address.ts";
import { type Authority, parseAuthority } from "./authority.ts";

/** `host`, `host:port`, `[IPv6]:port` or `scheme://host[:port][/path]`. */
const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/]*)(\/.*)?$/s;

export interface PublicHost {
  /** As it was given. */
  readonly text: string;
  /** With one, it is a URL: then a proxy that is trusted stands in front (http.md section 15). */
  readonly scheme: string | undefined;
  /** Undefined when it cannot be read; then no request asks for this name. */
  readonly authority: Authority | undefined;
  /** Empty, or begins with `/`. */
  readonly path: string;
}

export function parsePublicHost(text: string): PublicHost {
  const [, scheme, authority = "", path = ""] = PARTS.exec(text) ?? [];
  return { text, scheme, authority: parseAuthority(authority), path };
}

/** The host alone, without port, brackets and the root's dot (RFC 1034 section 3.1), in one spelling: two can be compared. */
export function comparableHost(authority: Authority | undefined): string | undefined {
  if (!authority) return undefined;
  const address = parseIpAddress(authority.host);
  return address ? formatIpAddress(address) : authority.host.toLowerCase().replace(/\.$/, "");
}
