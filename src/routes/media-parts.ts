/** What every route to media needs of its worker. */
import type { Hub } from "../relay/hub.ts";
import type { Log } from "../system/log.ts";
import type { AccessLog } from "./access-log.ts";
import type { ClientLimit } from "./client-limit.ts";

export interface MediaParts {
  readonly hub: Hub;
  readonly clientLimit: ClientLimit;
  readonly log: Log;
  readonly accessLog: AccessLog;
}
