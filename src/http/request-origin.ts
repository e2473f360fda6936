/**
 * Whose request it is: one of our own pages, a program, or a page of somebody else in a visitor's browser (http.md section 25).
 * Browsers say so in headers that no page can write (Fetch Metadata; RFC 6454 section 7).
 */
import { forwardedHost, forwardedProto } from "../wire/http/forwarded.ts";
import { type HeaderField, headerValue } from "../wire/http/header-fields.ts";
import type { AllowedHost } from "../wire/url/allowed-hosts.ts";
import { type Authority, parseAuthority } from "../wire/url/authority.ts";
import { comparableHost, type PublicHost } from "../wire/url/public-host.ts";

/**
 * - `own`: a page of ours, or a person who has typed the address
 * - `program`: no browser, which says nothing; but browsers are silent too when they GET by plain http
 * - `foreign`: a page of another origin, be it only another port, or one without an origin
 */
type Initiator = "own" | "program" | "foreign";

/** What the relay is called besides what `Host` says. */
export interface OwnOrigins {
  readonly hostname: PublicHost | undefined;
  readonly allowedHosts: readonly AllowedHost[];
  /** `X-Forwarded-Host` and `X-Forwarded-Proto` are believed (http.md section 15). */
  readonly trustForwarded: boolean;
}

export function initiatorOf(headers: readonly HeaderField[], own: OwnOrigins): Initiator {
  const site = headerValue(headers, "sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || site === "none" ? "own" : "foreign";
  const origin = headerValue(headers, "origin");
  if (origin === undefined) return "program";
  return isOwnOrigin(origin, headers, own) ? "own" : "foreign";
}

/** Whether a request may change something, as far as its method goes. What other methods lead to must change nothing (RFC 9110 section 9.2.1). */
export function isChanging(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/** What browsers call a place in a page that is filled by a navigation. */
const FRAMES: readonly (string | undefined)[] = ["iframe", "frame", "embed", "object", "fencedframe"];

/** Whether a page of another site asks for a part of itself: a picture, a frame, a script's `fetch`. Links are none. */
export function isForeignEmbed(headers: readonly HeaderField[]): boolean {
  if (headerValue(headers, "sec-fetch-site") !== "cross-site") return false;
  const isNavigation = headerValue(headers, "sec-fetch-mode") === "navigate";
  return !isNavigation || FRAMES.includes(headerValue(headers, "sec-fetch-dest"));
}

/**
 * Whether the operator has given the page that asks leave to use the relay. A picture or a frame names no origin but in
 * its `Referer`.
 * @param allowed `cors-allow-origin`
 */
export function hasLeave(headers: readonly HeaderField[], allowed: string | undefined): boolean {
  if (!allowed || allowed === "*") return allowed === "*";
  const asking = parseOrigin(headerValue(headers, "origin") ?? headerValue(headers, "referer") ?? "");
  const given = parseOrigin(allowed);
  return !!asking && !!given && isSameOrigin(asking, given);
}

interface WebOrigin extends Authority {
  /** Undefined: by which of the two it is reached is not known. */
  readonly scheme: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

function isOwnOrigin(text: string, headers: readonly HeaderField[], own: OwnOrigins): boolean {
  const origin = /^[^/]*:\/\/[^/]*$/.test(text) ? parseOrigin(text) : undefined;
  return !!origin && ownOrigins(headers, own).some((other) => isSameOrigin(origin, other));
}

/** An allowed domain is none: not everything below it is ours. */
function ownOrigins(headers: readonly HeaderField[], own: OwnOrigins): WebOrigin[] {
  const { hostname, allowedHosts, trustForwarded } = own;
  const scheme = (trustForwarded ? forwardedProto(headers) : "").toLowerCase() || undefined;
  const asked = [headerValue(headers, "host") ?? "", trustForwarded ? forwardedHost(headers) : ""];
  const authorities = asked.map(parseAuthority).filter((authority) => authority !== undefined);
  const origins: WebOrigin[] = authorities.map((authority) => ({ ...authority, scheme }));
  if (hostname?.authority) origins.push({ ...hostname.authority, scheme: hostname.scheme?.toLowerCase() });
  for (const { kind, host, port } of allowedHosts) if (kind === "host") origins.push({ host, port, scheme: undefined });
  return origins;
}

/** Of a URL, which may go on behind it. Undefined for `null` and whatever else has no name. */
function parseOrigin(url: string): WebOrigin | undefined {
  const [, scheme, text = ""] = /^(https?):\/\/([^/?#]*)/i.exec(url) ?? [];
  const authority = parseAuthority(text);
  return scheme && authority ? { ...authority, scheme: scheme.toLowerCase() } : undefined;
}

function isSameOrigin(origin: WebOrigin, other: WebOrigin): boolean {
  const { scheme = "" } = origin;
  if (other.scheme !== undefined && other.scheme !== scheme) return false;
  const [port, otherPort] = [origin.port, other.port].map((given) => given ?? DEFAULT_PORTS[scheme]);
  return port === otherPort && comparableHost(origin) === comparableHost(other);
}
