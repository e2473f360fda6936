/** One route behind a real HTTP listener that lets everybody in. */
import { Gatekeeper } from "../../src/routes/gatekeeper.ts";
import type { Route } from "../../src/routes/route.ts";
import { router } from "../../src/routes/router.ts";
import { collectingLog, TestServer } from "../http/serve.ts";

export interface Doors {
  readonly r2hToken?: string;
  readonly corsAllowOrigin?: string;
}

export function serveRoute(route: Route, { r2hToken, corsAllowOrigin }: Doors = {}): TestServer {
  const log = collectingLog([]);
  const options = { hostname: undefined, xff: false, r2hToken, corsAllowOrigin, appPathPrefix: undefined };
  return new TestServer(router({ gatekeeper: new Gatekeeper(options, log), routes: [route], log }));
}
