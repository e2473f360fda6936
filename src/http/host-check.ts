/** The check of `Host`, which keeps web pages of other sites from reaching the relay by DNS rebinding (http.md section 4). */
import { parseIpAddress } from "../wire/ip/address.ts";
import { type AllowedHost, isAllowedHost } from "../wire/url/allowed-hosts.ts";
import { parseAuthority } from "../wire/url/authority.ts";
import { comparableHost, type PublicHost } from "../wire/url/public-host.ts";

/** Says why a request with this `Host` is refused, or returns undefined. */
export type HostCheck = (host: string | undefined) => string | undefined;

/** A configured name that cannot be read refuses every request. */
export function hostCheck({ text, authority }: PublicHost, allowed: readonly AllowedHost[] = []): HostCheck {
  const expected = comparableHost(authority);
  if (expected === undefined) return () => `configured hostname cannot be read: ${text}`;
  return (host) => {
    if (!host) return `missing Host header (expected: ${expected})`;
    const got = comparableHost(parseAuthority(host));
    if (got !== undefined && (got === expected || isAllowedHost(got, allowed))) return undefined;
    return `Host header mismatch (got: ${got ?? host}, expected: ${expected})`;
  };
}

/** Names that no public name server gives away: RFC 6762, RFC 8375, ICANN's `internal`, and what routers use. */
const HOME_DOMAINS = [".local", ".lan", ".home.arpa", ".internal"];

/** Under which names this relay is certainly meant, whoever has made the page that asks. */
export interface OwnHosts {
  readonly hostname: PublicHost | undefined;
  readonly allowedHosts: readonly AllowedHost[];
  /** What this machine is called. */
  readonly machineName: string;
}

/**
 * Whether nobody else can have made a name lead here. A page can only be rebound to us under a name of its own, never under
 * an address or a name that the home network alone resolves.
 * @param host as in `Host`
 */
export function isOwnHost(host: string, { hostname, allowedHosts, machineName }: OwnHosts): boolean {
  const name = comparableHost(parseAuthority(host));
  if (!name) return isAllowedHost("", allowedHosts);
  if (parseIpAddress(name) || !name.includes(".")) return true;
  return (
    HOME_DOMAINS.some((domain) => name.endsWith(domain)) ||
    name === machineName.toLowerCase() ||
    name === comparableHost(hostname?.authority) ||
    isAllowedHost(name, allowedHosts)
  );
}
