/** What a route is: it looks at a request and either answers it or lets the next one look. */
import type { Connection } from "../http/connection.ts";
import type { HttpRequest } from "../http/request.ts";
import type { ByteString } from "../wire/text/byte-string.ts";

/** One request on its way through the routes. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly connection: Connection;
  /** Raw path of the target within the app prefix, without query and without a trailing `$label`. */
  readonly path: ByteString;
  /** Raw query without `?` and without the access token; empty when there is none. */
  readonly query: ByteString;
  /** Whom status and access log show: the peer of the connection, or whom a trusted proxy has named. */
  readonly clientAddress: string;
  /** Whether pages of other origins may use the answer (http.md section 6). */
  readonly isCors: boolean;
  /** A page of another site, which has no leave to, wants this as a part of itself (http.md section 25). */
  readonly isForeignEmbed: boolean;
}

/** True when the route has answered, or will. */
export type Route = (exchange: Exchange) => boolean;

/**
 * What shows the service itself to those who run it, or takes their orders. The router lets access control refuse before it
 * asks such a route (http.md section 25).
 */
export interface ControlRoute {
  /** Whether a path is this route's. */
  owns(path: ByteString): boolean;
  answer(exchange: Exchange): void;
}
