/** What every route to media needs of its worker. */
import type { Hub } from "../relay/hub.ts";
import type { Log } from "../system/log.ts";
import type { AccessLog } from "./access-log.ts";
import type { Admission } from "./admission.ts";

export interface MediaParts {
  readonly hub: Hub;
  readonly admission: Admission;
  readonly log: Log;
  readonly accessLog: AccessLog;
}
