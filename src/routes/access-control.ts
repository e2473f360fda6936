/** Who may ask: all that stands between a request and the routes (http.md sections 3 to 7 and 15). */
import type { Connection } from "../http/connection.ts";
import { corsHeaders, preflightResponse } from "../http/cors.ts";
import { type HostCheck, hostCheck } from "../http/host-check.ts";
import type { HttpRequest } from "../http/request.ts";
import { errorResponse, type HttpResponse } from "../http/response.ts";
import { tokenCookie, withoutToken } from "../http/token.ts";
import { TokenCheck } from "../http/token-check.ts";
import { LOG_INFO, type Log } from "../system/log.ts";
import { forwardedFor } from "../wire/http/forwarded.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { splitTarget } from "../wire/url/label.ts";
import { type PathPrefix, prefixBytes, withoutPrefix } from "../wire/url/path-prefix.ts";
import { percentEncodeText } from "../wire/url/percent.ts";
import type { PublicHost } from "../wire/url/public-host.ts";
import type { Exchange } from "./route.ts";

export interface AccessControlOptions {
  /** What `Host` must be. */
  readonly hostname: PublicHost | undefined;
  /** Believe `X-Forwarded-For`; a `hostname` with a scheme has the same effect. */
  readonly xff: boolean;
  readonly r2hToken: string | undefined;
  /** `*` or an origin. */
  readonly corsAllowOrigin: string | undefined;
  readonly appPathPrefix: PathPrefix | undefined;
}

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
  readonly #believesForwarded: boolean;
  readonly #tokenCheck: TokenCheck | undefined;
  readonly #cookie: HeaderField;
  readonly #corsHeaders: readonly HeaderField[];
  readonly #prefix: ByteString;

  constructor({ hostname, xff, r2hToken, corsAllowOrigin, appPathPrefix }: AccessControlOptions, log: Log) {
    this.#log = log;
    this.#hostCheck = hostname ? hostCheck(hostname) : undefined;
    this.#believesForwarded = xff || hostname?.scheme !== undefined;
    this.#tokenCheck = r2hToken ? new TokenCheck(r2hToken) : undefined;
    this.#corsHeaders = corsHeaders(corsAllowOrigin);
    this.#prefix = prefixBytes(appPathPrefix);
    this.#cookie = ["Set-Cookie", tokenCookie(percentEncodeText(r2hToken ?? ""), this.#prefix || "/")];
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
    return {
      request,
      connection,
      path: inner,
      query: withoutToken(query),
      clientAddress: this.#clientAddress(request, connection),
      isCors: this.#corsHeaders.length > 0,
    };
  }

  /** The page for a request that cannot even be read. */
  errorResponse(status: number): HttpResponse {
    return errorResponse(status, this.#corsHeaders);
  }

  /** What ends a request before anybody asks for the token. */
  #refusal(request: HttpRequest, inner: string | undefined): HttpResponse | undefined {
    if (!request.target.startsWith("/")) return errorResponse(400);
    const problem = this.#hostCheck?.(request.header("host"));
    if (problem !== undefined) {
      this.#reject(problem);
      return errorResponse(400);
    }
    const isPreflight = request.method === "OPTIONS" && this.#corsHeaders.length > 0;
    return isPreflight && inner !== undefined ? preflightResponse(request) : undefined;
  }

  #knowsToken({ target, headers }: HttpRequest, query: ByteString, connection: Connection): boolean {
    if (!this.#tokenCheck) return true;
    const rawQuery = target.slice(target.indexOf("?") + 1);
    const verdict = this.#tokenCheck.check(query, rawQuery, headers);
    if (verdict.kind === "unknown") {
      this.#reject(verdict.problem);
      return false;
    }
    if (verdict.source === "query") connection.setStandingHeaders([this.#cookie, ...this.#corsHeaders]);
    return true;
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
