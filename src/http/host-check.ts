/** The check of `Host`, which keeps web pages of other sites from reaching the relay by DNS rebinding (http.md section 4). */
import { parseAuthority } from "../wire/url/authority.ts";
import { comparableHost, type PublicHost } from "../wire/url/public-host.ts";

/** Says why a request with this `Host` is refused, or returns undefined. */
export type HostCheck = (host: string | undefined) => string | undefined;

/** A configured name that cannot be read refuses every request. */
export function hostCheck({ text, authority }: PublicHost): HostCheck {
  const expected = comparableHost(authority);
  if (expected === undefined) return () => `configured hostname cannot be read: ${text}`;
  return (host) => {
    if (!host) return `missing Host header (expected: ${expected})`;
    const got = comparableHost(parseAuthority(host));
    return got === expected ? undefined : `Host header mismatch (got: ${got ?? host}, expected: ${expected})`;
  };
}
