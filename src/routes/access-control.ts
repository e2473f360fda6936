/** Who may ask: all that stands between a request and the routes (http.md sections 3 to 7, 15 and 25). */
import { hostname as machineName } from "node:os";
import type { Connection } from "../http/connection.ts";
import { corsHeaders, OPTIONS_RESPONSE, preflightResponse } from "../http/cors.ts";
import { type HostCheck, hostCheck, isOwnHost, type OwnHosts } from "../http/host-check.ts";
import type { HttpRequest } from "../http/request.ts";
import { hasLeave, initiatorOf, isChanging, isForeignEmbed, type OwnOrigins } from "../http/request-origin.ts";
import { errorResponse, type HttpResponse } from "../http/response.ts";
import { tokenCookie, withoutToken } from "../http/token.ts";
import { TokenCheck } from "../http/token-check.ts";
import { LOG_INFO, type Log } from "../system/log.ts";
import { forwardedFor, forwardedHost, forwardedProto } from "../wire/http/forwarded.ts";
import { type HeaderField, headerValue } from "../wire/http/header-fields.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import type { AllowedHost } from "../wire/url/allowed-hosts.ts";
import { isWrittenHost, parseAuthority } from "../wire/url/authority.ts";
import { splitTarget } from "../wire/url/label.ts";
import { type PathPrefix, prefixBytes, withoutPrefix } from "../wire/url/path-prefix.ts";
import { percentEncodeText } from "../wire/url/percent.ts";
import { comparableHost, type PublicHost } from "../wire/url/public-host.ts";
import type { Exchange } from "./route.ts";

export interface AccessControlOptions {
  /** What `Host` must be. */
  readonly hostname: PublicHost | undefined;
  /** What else it may be. */
  readonly allowedHosts: readonly AllowedHost[];
  /** Believe `X-Forwarded-For`; a `hostname` with a scheme has the same effect. */
  readonly xff: boolean;
  readonly r2hToken: string | undefined;
  /** `*` or an origin. */
  readonly corsAllowOrigin: string | undefined;
  readonly appPathPrefix: PathPrefix | undefined;
}

const HTTPS_PORT = 443;

/** Who joins a server's address with a path often has one slash too many. */
function withoutDoubledSlash(path: ByteString): ByteString {
  return asByteString(path.replace(/^\/{2,}/, "/"));
}

/** Pages are made of them: everybody may have them, so that nothing else may be found below this path. */
export function isAssetPath(path: string): boolean {
  return path.startsWith("/assets/");
}

export class AccessControl {
  readonly #log: Log;
  readonly #hostCheck: HostCheck | undefined;
  readonly #ownHosts: OwnHosts;
  readonly #ownOrigins: OwnOrigins;
  readonly #believesForwarded: boolean;
  readonly #tokenCheck: TokenCheck | undefined;
  readonly #encodedToken: string;
  readonly #corsAllowOrigin: string | undefined;
  readonly #corsHeaders: readonly HeaderField[];
  readonly #prefix: ByteString;

  constructor(options: AccessControlOptions, log: Log) {
    const { hostname, allowedHosts, xff, r2hToken, corsAllowOrigin, appPathPrefix } = options;
    this.#log = log;
    this.#hostCheck = hostname ? hostCheck(hostname, allowedHosts) : undefined;
    this.#ownHosts = { hostname, allowedHosts, machineName: machineName() };
    this.#ownOrigins = { hostname, allowedHosts, trustForwarded: xff };
    this.#believesForwarded = xff || hostname?.scheme !== undefined;
    this.#tokenCheck = r2hToken ? new TokenCheck(r2hToken) : undefined;
    this.#encodedToken = percentEncodeText(r2hToken ?? "");
    this.#corsAllowOrigin = corsAllowOrigin;
    this.#corsHeaders = corsHeaders(corsAllowOrigin);
    this.#prefix = prefixBytes(appPathPrefix);
  }

  /** Lets a request pass, without the token in its query, or answers it; then the result is undefined. */
  admit(request: HttpRequest, connection: Connection): Exchange | undefined {
    connection.setStandingHeaders(this.#corsHeaders);
    const { path, query } = splitTarget(request.target);
    const inner = withoutPrefix(withoutDoubledSlash(path), this.#prefix);
    const refusal = this.#refusal(request, inner);
    if (refusal || inner === undefined) {
      connection.respond(refusal ?? errorResponse(404));
      return undefined;
    }
    if (!isAssetPath(inner) && !this.#knowsToken(request, query, connection)) {
      connection.respond(errorResponse(401, [["WWW-Authenticate", "Bearer"]]));
      return undefined;
    }
    // A script that would stay in the visitor's browser and answer in our place: none of ours is such a one.
    const isServiceWorker = request.header("service-worker") !== undefined;
    const isForeign = !hasLeave(request.headers, this.#corsAllowOrigin);
    if (isServiceWorker || (isForeign && this.#isForeignOrder(request))) {
      connection.respond(this.#foreignRefusal(request));
      return undefined;
    }
    return {
      request,
      connection,
      path: inner,
      query: withoutToken(query),
      clientAddress: this.#clientAddress(request, connection),
      isCors: this.#corsHeaders.length > 0,
      isForeignEmbed: isForeign && isForeignEmbed(request.headers),
    };
  }

  /**
   * Why a request that has been admitted may not see or order what belongs to those who run the service (http.md section 25).
   * Leave to use the relay, which pages of other origins may have, is no leave for orders.
   */
  controlRefusal({ request, isForeignEmbed }: Exchange): HttpResponse | undefined {
    const stranger = this.#tokenCheck ? undefined : this.#strangeHost(request.headers);
    if (stranger !== undefined) {
      return this.#refused(
        421,
        `this relay does not know itself as ${stranger}: set allowed-hosts = ${stranger} (or hostname, or r2h-token), ` +
          "or open it by its address",
      );
    }
    return isForeignEmbed || this.#isForeignOrder(request) ? this.#foreignRefusal(request) : undefined;
  }

  /** The page for a request that cannot even be read. */
  errorResponse(status: number): HttpResponse {
    return errorResponse(status, this.#corsHeaders);
  }

  /** What ends a request before anybody asks for the token. */
  #refusal(request: HttpRequest, inner: string | undefined): HttpResponse | undefined {
    const isOptions = request.method === "OPTIONS";
    // RFC 9112 section 3.2.4: only OPTIONS may ask for the server as a whole.
    const isServer = isOptions && request.target === "*";
    if (!request.target.startsWith("/") && !isServer) return errorResponse(400);
    const host = request.header("host");
    if (host && !isWrittenHost(host)) {
      this.#reject("malformed Host header");
      return errorResponse(400);
    }
    const problem = this.#hostCheck?.(host);
    if (problem !== undefined) {
      this.#reject(problem);
      return errorResponse(400);
    }
    if (!isOptions || (inner === undefined && !isServer)) return undefined;
    return this.#corsHeaders.length > 0 ? preflightResponse(request) : OPTIONS_RESPONSE;
  }

  #isForeignOrder({ method, headers }: HttpRequest): boolean {
    return isChanging(method) && initiatorOf(headers, this.#ownOrigins) === "foreign";
  }

  #foreignRefusal(request: HttpRequest): HttpResponse {
    const origin = request.header("origin") ?? "another site";
    return this.#refused(
      403,
      `pages of ${origin} may not do this. If that is this relay behind a proxy, let the proxy pass Host on, ` +
        "or set allowed-hosts = HOST[:PORT]",
    );
  }

  /** The name by which a browser has come to us, if somebody else may have given it. No browser leaves `Host` out. */
  #strangeHost(headers: readonly HeaderField[]): string | undefined {
    const names = [headerValue(headers, "host"), this.#ownOrigins.trustForwarded ? forwardedHost(headers) : undefined];
    const strange = names.find((name) => name && !isOwnHost(name, this.#ownHosts));
    return strange && (comparableHost(parseAuthority(strange)) ?? "such a name");
  }

  #refused(status: number, error: string): HttpResponse {
    this.#reject(error);
    const body = JSON.stringify({ success: false, error: `${error[0]!.toUpperCase()}${error.slice(1)}.` });
    return { status, headers: [["Content-Type", "application/json"]], body };
  }

  #knowsToken({ target, headers }: HttpRequest, query: ByteString, connection: Connection): boolean {
    if (!this.#tokenCheck) return true;
    const rawQuery = target.slice(target.indexOf("?") + 1);
    const verdict = this.#tokenCheck.check(query, rawQuery, headers);
    if (verdict.kind === "unknown") {
      this.#reject(verdict.problem);
      return false;
    }
    if (verdict.source === "query") {
      const value = tokenCookie(this.#encodedToken, this.#prefix || "/", this.#isSecure(headers));
      connection.setStandingHeaders([["Set-Cookie", value], ...this.#corsHeaders]);
    }
    return true;
  }

  /** Whether the browser speaks https to a proxy in front. Past that proxy it would not take a cookie that says `Secure`. */
  #isSecure(headers: readonly HeaderField[]): boolean {
    const proto = this.#believesForwarded ? forwardedProto(headers) : "";
    if (proto) return proto.toLowerCase() === "https";
    const { scheme, authority } = this.#ownOrigins.hostname ?? {};
    const { port = authority?.port } = parseAuthority(headerValue(headers, "host") ?? "") ?? {};
    return scheme?.toLowerCase() === "https" && (port ?? HTTPS_PORT) === (authority?.port ?? HTTPS_PORT);
  }

  #clientAddress({ headers }: HttpRequest, connection: Connection): string {
    const forwarded = this.#believesForwarded ? forwardedFor(headers) : "";
    if (forwarded && this.#log.level >= LOG_INFO) this.#log.info(`X-Forwarded-For accepted: ${forwarded}`);
    return forwarded || connection.peer;
  }

  #reject(problem: string): void {
    this.#log.warn(`Client request rejected: ${problem}`);
  }
}
