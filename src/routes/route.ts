/** What a route is: it looks at a request and either answers it or lets the next one look. */
import type { Connection } from "../http/connection.ts";
import type { HttpRequest } from "../http/request.ts";

/** One request on its way through the routes. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly connection: Connection;
  /** Raw path of the target, without query and without a trailing `$label`. */
  readonly path: string;
  /** Raw query without `?`; empty when there is none. */
  readonly query: string;
}

/** True when the route has answered, or will. */
export type Route = (exchange: Exchange) => boolean;
