/** User and password of an upstream's URL, as its server asks for them (http-proxy.md section 1; RFC 7617, RFC 7616). */
import { type Credentials, digestAuthorization, parseChallenges } from "../../wire/http/digest.ts";
import { type HeaderField, isNamed } from "../../wire/http/header-fields.ts";
import { asByteString, type ByteString } from "../../wire/text/byte-string.ts";
import { percentDecode } from "../../wire/url/percent.ts";
import { formatProxyUrl, type ProxyScheme, type ProxyUrl, parseProxyUrl } from "../../wire/url/proxy-url.ts";
import { leadsElsewhere } from "./proxy-link.ts";

const SCHEME = /^(https?):\/\//;
const PARTS = /^([^:]*):(.*)$/s;
/** Of a player that encodes what stands in a path. */
const ENCODED_PARTS = /^(.*?)%3A(.*)$/is;
const CNONCE_BYTES = 8;

/**
 * Those of the URL itself, or of the channel that led to it if it is of the same server.
 * @param channelUrl as the list has it
 */
export function loginFor(url: ProxyUrl, channelUrl: ByteString | undefined): Credentials | undefined {
  const userinfo = url.userinfo ?? (channelUrl === undefined ? undefined : userinfoOf(channelUrl, url));
  if (userinfo === undefined) return undefined;
  const [, user = userinfo, password = ""] = PARTS.exec(userinfo) ?? ENCODED_PARTS.exec(userinfo) ?? [];
  return { user: decoded(user), password: decoded(password) };
}

function userinfoOf(channelUrl: ByteString, url: ProxyUrl): string | undefined {
  const [prefix = "", scheme] = SCHEME.exec(channelUrl) ?? [];
  if (scheme === undefined) return undefined;
  const channel = parseProxyUrl(channelUrl.slice(prefix.length), scheme as ProxyScheme);
  if (channel.kind === "error") return undefined;
  return leadsElsewhere(formatProxyUrl(url), { upstream: formatProxyUrl(channel.url) })
    ? undefined
    : channel.url.userinfo;
}

/** A text that holds a `%` by mistake means itself. */
function decoded(text: string): string {
  return percentDecode(asByteString(text)) ?? text;
}

/**
 * The answer to the challenge of a 401; undefined when it asks for nothing but what was sent.
 * @param target of the request line
 */
export function digestAnswer(
  login: Credentials,
  headers: readonly HeaderField[],
  method: string,
  target: string,
): string | undefined {
  const values = headers.filter((field) => isNamed(field, "www-authenticate")).map(([, value]) => value);
  const challenge = parseChallenges(values).find((each) => each.scheme === "digest");
  if (challenge?.scheme !== "digest") return undefined;
  const cnonce = Buffer.from(crypto.getRandomValues(new Uint8Array(CNONCE_BYTES))).toString("hex");
  return digestAuthorization(challenge, login, { method, uri: target, nonceCount: 1, cnonce });
}
