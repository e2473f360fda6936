/** One route behind a real HTTP listener that lets everybody in. */

import { AccessControl } from "../../src/routes/access-control.ts";
import type { ControlRoute, Route } from "../../src/routes/route.ts";
import { router } from "../../src/routes/router.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { TestServer } from "../http/serve.ts";

export interface Doors {
  readonly r2hToken?: string;
  readonly corsAllowOrigin?: string;
}

export function serveRoute(route: Route | ControlRoute, { r2hToken, corsAllowOrigin }: Doors = {}): TestServer {
  const log = recordingLog([]);
  const options = {
    hostname: undefined,
    allowedHosts: [],
    xff: false,
    r2hToken,
    corsAllowOrigin,
    appPathPrefix: undefined,
  };
  return new TestServer(router({ accessControl: new AccessControl(options, log), routes: [route], log }));
}
