/** What published and rewritten URLs begin with (m3u.md section 7; http-proxy.md section 7). */
import { forwardedHost, forwardedProto } from "../http/forwarded.ts";
import { type HeaderField, headerValue } from "../http/header-fields.ts";
import { parseIpAddress } from "../ip/address.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { type Authority, formatAuthority, isWrittenHost } from "./authority.ts";
import type { PublicHost } from "./public-host.ts";

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** It stands in each line of a playlist, like the host. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]{0,31}$/;

export interface BaseUrlRules {
  /** `use-relative-path-in-m3u`: neither scheme nor host. */
  readonly relative: boolean;
  /** Empty, or begins with `/` and does not end in one. */
  readonly appPathPrefix: ByteString;
  /** `xff`: headers of a proxy in front of this relay are believed. */
  readonly trustForwarded: boolean;
  readonly hostname?: PublicHost | undefined;
  /** An address of this machine and the first TCP port it listens on, for clients that name no host. */
  readonly local: { readonly host: string; readonly port: number };
}

/**
 * Always ends in `/`.
 * @param headers of the request. A forwarded host that is none counts as missing
 */
export function baseUrl(headers: readonly HeaderField[], rules: BaseUrlRules): ByteString {
  const { appPathPrefix: prefix, trustForwarded } = rules;
  if (rules.relative) return asByteString(`${prefix}/`);
  const forwarded = trustForwarded ? forwardedHost(headers) : "";
  const host = isWrittenHost(forwarded) ? forwarded : headerValue(headers, "host");
  if (!host) return ownBaseUrl(rules);
  return asByteString(`${publicScheme(headers, rules)}://${bracketed(host)}${prefix}/`);
}

function publicScheme(headers: readonly HeaderField[], { trustForwarded, hostname }: BaseUrlRules): string {
  const proto = trustForwarded ? forwardedProto(headers) : "";
  return SCHEME.test(proto) ? proto : (hostname?.scheme ?? "http");
}

/** For a request without any host. */
function ownBaseUrl({ hostname, appPathPrefix: prefix, local }: BaseUrlRules): ByteString {
  const { scheme, authority, path = "" } = hostname ?? {};
  if (!authority) return asByteString(`http://${withoutDefaultPort(local)}${prefix}/`);
  const port = authority.port ?? (scheme === undefined ? local.port : undefined);
  const ownPath = path.endsWith("/") ? path : `${path}/`;
  const text = withoutDefaultPort({ host: authority.host, port }, scheme);
  return asByteString(`${scheme ?? "http"}://${text}${prefix ? `${prefix}/` : ownPath}`);
}

function withoutDefaultPort({ host, port }: Authority, scheme = "http"): string {
  const isDefault = port === (scheme.toLowerCase() === "https" ? HTTPS_PORT : HTTP_PORT);
  return formatAuthority({ host, port: isDefault ? undefined : port });
}

function bracketed(host: string): string {
  return parseIpAddress(host)?.family === 6 ? `[${host}]` : host;
}
