/** The query parameters of the relay itself (http.md sections 7, 10, 11 and 20). */

import { CHANNEL_PARAMETER, SEAL_PARAMETER } from "../wire/url/link-seal.ts";

/** Asks for a picture in the place of the stream, when its value is 1. Where no picture can be made, it is the upstream's. */
export const SNAPSHOT_PARAMETER = "snapshot";

/** Stands in links to a server that another one has sent the client to (http-proxy.md section 12). */
export const REDIRECTED_PARAMETER = "r2h-redirected";

/** They are meant for the relay, and no upstream may see them. The seek parameter's name varies. */
export const CONSUMED_PARAMETERS: readonly string[] = [
  "r2h-token",
  "r2h-ifname",
  "r2h-ifname-fcc",
  "r2h-seek-name",
  "r2h-seek-offset",
  "r2h-seek-mode",
  "r2h-span",
  "r2h-clock",
  "r2h-now",
  "r2h-catchup-id",
  REDIRECTED_PARAMETER,
  CHANNEL_PARAMETER,
  SEAL_PARAMETER,
];
