/** Links of upstream responses, turned into URLs of this relay (http-proxy.md sections 5, 7 and 8). */
import { TOKEN_NAME } from "../../http/token.ts";
import { MAX_TARGET_BYTES } from "../../wire/http/request.ts";
import { hasScheme, resolveReference } from "../../wire/url/reference.ts";
import { REDIRECTED_PARAMETER } from "../own-parameters.ts";

export interface LinkRules {
  /** What every link begins with; ends in `/`. `baseUrl` makes it for playlists, for `Location` it is the app prefix. */
  readonly base: string;
  /** The absolute URL of the response that holds the link. */
  readonly upstream: string;
  /** User and password by which the client has asked for it: links to the same server have them too. */
  readonly userinfo?: string | undefined;
  /** Whether `https://` links go through this relay too; otherwise they stay. */
  readonly proxyHttps: boolean;
  /** The client was sent to this upstream by another one; its links say so, too. */
  readonly isRedirected?: boolean | undefined;
  /** The access token in percent-encoding, added to every link. */
  readonly encodedToken?: string | undefined;
  /** The parameters that prove a link, for its target below the app prefix. */
  readonly sealOf?: ((target: string) => string) | undefined;
}

/** The value comes from another playlist, in which this relay has made a link of it if it was a URL. */
const VARIABLE = "{$";
const PROXIED = /^(https?):\/\/(.*)$/is;
const ORIGIN = /^[^/]*:\/\/[^/]*/;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** http.md section 8: the last `$` that is not followed by `{` or the end, up to the end. */
const LABEL = /\$(?!\{|$)(?:[^$/?&=]|\$(?=\{|$))*$/;

/**
 * The URL of this relay that leads to `reference`, a byte string. Undefined when it has to stay as it is: it is empty, of a
 * scheme that is not proxied, or would become longer than this relay accepts. References without a scheme always
 * go the way that the response itself came.
 * @param isPrefix other playlists make URLs of it: nothing may be put behind it
 */
export function proxyLink(reference: string, rules: LinkRules, isPrefix = false): string | undefined {
  if (reference === "") return undefined;
  if (reference.startsWith(VARIABLE)) return withAllParameters(reference, pathOf(rules.upstream), rules);
  const isAbsolute = hasScheme(reference);
  const [, scheme, rest] = PROXIED.exec(isAbsolute ? reference : resolveReference(rules.upstream, reference)) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const isHttps = scheme.length === "https".length;
  if (isHttps && isAbsolute && !rules.proxyHttps) return undefined;
  const target = `${isHttps ? "https" : "http"}/${withUserinfo(scheme, rest, rules)}`;
  const link = rules.base + target;
  if (isTooLong(link)) return undefined;
  const complete = isPrefix ? link : withAllParameters(link, `/${target}`, rules);
  return isTooLong(complete) ? undefined : complete;
}

/** @param target of the link below the app prefix */
function withAllParameters(link: string, target: string, { sealOf, isRedirected, encodedToken }: LinkRules): string {
  const sealed = sealOf ? withParameters(link, sealOf(target)) : link;
  const marked = isRedirected ? withParameter(sealed, REDIRECTED_PARAMETER, "1") : sealed;
  return encodedToken ? withParameter(marked, TOKEN_NAME, encodedToken) : marked;
}

/** Below the app prefix, for a variable that is relative to it. */
function pathOf(upstream: string): string {
  return upstream.replace(/^([a-z]+):\/\/([^/?#]*).*$/s, `/$1/$2/${VARIABLE}}`);
}

/** Players that follow a link do so; what it names itself it keeps. */
function withUserinfo(scheme: string, rest: string, rules: LinkRules): string {
  if (rules.userinfo === undefined || leadsElsewhere(`${scheme}://${rest}`, rules)) return rest;
  return /^[^/?#]*@/.test(rest) ? rest : `${rules.userinfo}@${rest}`;
}

function isTooLong(link: string): boolean {
  return link.length > MAX_TARGET_BYTES && link.replace(ORIGIN, "").length > MAX_TARGET_BYTES;
}

/** The value of a `Location` header for the client; only that of a redirect changes. */
export function proxyLocation(status: number, location: string, rules: LinkRules): string {
  return (REDIRECTS.includes(status) && proxyLink(location, rules)) || location;
}

/**
 * Whether a reference leads to another server, which must not get what is meant for this one. The same host on another port
 * is another one, unless that is its step from plain HTTP to TLS.
 */
export function leadsElsewhere(reference: string, { upstream }: Pick<LinkRules, "upstream">): boolean {
  const [before, after] = [URL.parse(upstream), URL.parse(resolveReference(upstream, reference))];
  if (!before || !after || before.hostname !== after.hostname) return true;
  const isUpgrade = before.protocol === "http:" && after.protocol === "https:" && before.port + after.port === "";
  return before.origin !== after.origin && !isUpgrade;
}

function withParameter(link: string, name: string, value: string): string {
  const isThere = new RegExp(`[?&]${name}=`, "i").test(link.split("#", 1)[0]!);
  return isThere ? link : withParameters(link, `${name}=${value}`);
}

/** Before the fragment, which is not sent, and before a label, which must stay the end of the URL to be one. */
function withParameters(link: string, parameters: string): string {
  const sent = link.split("#", 1)[0]!;
  const label = sent.search(LABEL);
  const end = label < 0 ? sent.length : label;
  const url = link.slice(0, end);
  return `${url}${url.includes("?") ? "&" : "?"}${parameters}${link.slice(end)}`;
}
