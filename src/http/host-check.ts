/** The check of `Host`, which keeps web pages of other sites from reaching the relay by DNS rebinding (http.md section 4). */
import { formatIpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { parseAuthority } from "../wire/url/authority.ts";

/** Says why a request with this `Host` is refused, or returns undefined. */
export type HostCheck = (host: string | undefined) => string | undefined;

/** `host`, `host:port`, `[IPv6]:port` or `scheme://host[:port][/path]`. */
const CONFIGURED = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/]*)/;

/** @param hostname as configured; one that cannot be read refuses every request */
export function hostCheck(hostname: string): HostCheck {
  const expected = hostPart(CONFIGURED.exec(hostname)?.[2] ?? "");
  if (expected === undefined) return () => `configured hostname cannot be read: ${hostname}`;
  return (host) => {
    if (!host) return `missing Host header (expected: ${expected})`;
    const got = hostPart(host);
    return got === expected ? undefined : `Host header mismatch (got: ${got ?? host}, expected: ${expected})`;
  };
}

/** Whether a configured hostname is a URL: then a proxy that is trusted stands in front (http.md section 15). */
export function hasHostnameScheme(hostname: string): boolean {
  return CONFIGURED.exec(hostname)?.[1] !== undefined;
}

/** The host alone, in one spelling. */
function hostPart(authority: string): string | undefined {
  const { host } = parseAuthority(authority) ?? {};
  const address = host === undefined ? undefined : parseIpAddress(host);
  return address ? formatIpAddress(address) : host?.toLowerCase();
}
