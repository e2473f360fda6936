/**
 * Cookies of upstreams bear the name of their host while a client has them: to a browser all upstreams are one host, and so is
 * everything else on this machine, whatever its port (http-proxy.md section 12).
 */
import { type HeaderField, isNamed } from "../../wire/http/header-fields.ts";
import { trimBlanks } from "../../wire/text/blanks.ts";
import type { ProxyUrl } from "../../wire/url/proxy-url.ts";

/** `r2hc~tv.example~SID`; `r2hs` for a cookie that was set over TLS, to go out over TLS alone. */
const MARKED = /^r2h([cs])~([^~]*)~(.*)$/s;
/** They speak of the connection to the upstream, or of a host that is not the client's. */
const FOREIGN_ATTRIBUTE = /^[\t ]*(domain|secure|samesite|partitioned|httponly)[\t ]*(=|$)/i;

/**
 * The headers of an answer with its cookies marked as the upstream's; those without a name are left out. A cookie goes back to the host
 * that has set it, whatever `Domain` it names, and may be `Secure` over plain HTTP: the server stands behind a proxy of its own, or has
 * another name for the player than for us.
 */
export function withMarkedCookies(headers: readonly HeaderField[], url: ProxyUrl): HeaderField[] {
  return headers.flatMap((field) => {
    if (!isNamed(field, "set-cookie")) return [field];
    const value = marked(field[1], url);
    return value === undefined ? [] : [[field[0], value] as const];
  });
}

function marked(setCookie: string, { host, scheme }: ProxyUrl): string | undefined {
  const [pair = "", ...attributes] = setCookie.split(";");
  const equals = pair.indexOf("=");
  const name = trimBlanks(pair.slice(0, Math.max(equals, 0)));
  const isSecure =
    scheme === "https" && attributes.some((attribute) => trimBlanks(attribute).toLowerCase() === "secure");
  if (name === "") return undefined;
  const kept = attributes.filter((attribute) => !FOREIGN_ATTRIBUTE.test(attribute));
  const mark = `r2h${isSecure ? "s" : "c"}~${labelOf(host)}~`;
  return [`${mark}${name}${pair.slice(equals)}`, ...kept, " HttpOnly", " SameSite=Lax"].join(";");
}

/**
 * The value of `Cookie` for an upstream: the cookies that it has set, by their own names, and unless `isOwnOnly` those that no
 * upstream has set. Empty when none is left.
 */
export function cookiesFor({ host, scheme }: ProxyUrl, cookies: string, isOwnOnly: boolean): string {
  if (!isOwnOnly && !/r2h[cs]~/.test(cookies)) return cookies;
  const label = labelOf(host);
  const pairs = cookies.split(";");
  const kept = pairs.flatMap((pair) => {
    const [, kind, owner, own] = MARKED.exec(trimBlanks(pair)) ?? [];
    if (owner === undefined) return isOwnOnly ? [] : [pair];
    return owner === label && (kind === "c" || scheme === "https") ? [` ${own}`] : [];
  });
  return trimBlanks(kept.join(";"));
}

/** Whether some of them were not set by an upstream, but by the client itself. */
export function hasOwnCookies(cookies: string): boolean {
  return cookies.split(";").some((pair) => trimBlanks(pair) !== "" && !MARKED.test(trimBlanks(pair)));
}

/** Of a host, as a part of a cookie's name: a colon may not stand there. */
function labelOf(host: string): string {
  return host.toLowerCase().replaceAll(":", "|");
}
