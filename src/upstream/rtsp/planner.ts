/** `rtsp://…` becomes a plan: what of the URL is for us, which server is asked, and for what (rtsp.md sections 1 and 9). */

import type { UpstreamPlan } from "../../relay/upstream.ts";
import { USUAL_RECEIVE_BUFFER_BYTES } from "../../system/socket.ts";
import { readSeekRequest, type SeekRequest } from "../../timeshift/seek-request.ts";
import { resolveUpstreamUrl } from "../../timeshift/upstream-url.ts";
import { clientZone } from "../../timeshift/zones.ts";
import { headerValue } from "../../wire/http/header-fields.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { formatRtspUrl, parseRtspUrl } from "../../wire/rtsp/url.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import type { ByteString } from "../../wire/text/byte-string.ts";
import { takeParameters } from "../../wire/url/proxy-url.ts";
import { requestedInterface } from "../interface-parameter.ts";
import { CONSUMED_PARAMETERS, SNAPSHOT_PARAMETER } from "../own-parameters.ts";
import type { PlannedUpstream, Planner, PlannerParts, PlanRequest, UnplannableUrl } from "../planner.ts";
import { shownUrl } from "../shown-url.ts";
import type { StunServer } from "./stun-query.ts";
import { type RtspTarget, RtspUpstream } from "./upstream.ts";

const SCHEME = "rtsp://";
/** For resolving, for each address, for each answer, and for the first media. */
const STAGE_TIMEOUT_MS = 3000;

/** What is used of the settings of the program. */
export interface RtspSettings {
  readonly upstreamInterface: string | undefined;
  /** Before `upstreamInterface`. */
  readonly upstreamInterfaceRtsp: string | undefined;
  readonly udpReceiveBufferSize: number | undefined;
  readonly rtspUserAgent: string;
  readonly rtspStunServer: StunServer | undefined;
  /** Default 3000. */
  readonly stageTimeoutMs?: number;
  /** Addresses of a host name in the order in which to try them. */
  readonly resolve?: (host: string) => Promise<readonly IpAddress[]>;
}

/** @param rest of the URL, behind its scheme */
export function isServableRtsp(rest: ByteString): boolean {
  return parseRtspUrl(rest).kind === "url";
}

export function rtspPlanner(settings: RtspSettings, parts: PlannerParts): Planner {
  return (request) => {
    const seek = readSeekRequest(request.url, "range", request.serviceUrl);
    if (!seek) return { status: request.serviceUrl === undefined ? 404 : 500 };
    for (const warning of seek.warnings) parts.log.warn(warning);
    return plan(settings, parts, request, seek);
  };
}

function plan(
  settings: RtspSettings,
  parts: PlannerParts,
  { headers, method, nowMs, isSnapshot, client }: PlanRequest,
  seek: SeekRequest,
): PlannedUpstream | UnplannableUrl {
  const zoneMin = clientZone(headerValue(headers, "user-agent"));
  const upstream = resolveUpstreamUrl(seek, { nowMs, zoneMin });
  if (!upstream) return { status: 503 };
  const consumed = isSnapshot ? [...CONSUMED_PARAMETERS, SNAPSHOT_PARAMETER] : CONSUMED_PARAMETERS;
  const { url, taken } = takeParameters(upstream.url, consumed);
  const outcome = parseRtspUrl(url.slice(SCHEME.length));
  if (outcome.kind === "error") return { status: outcome.status };
  const isHead = method === "HEAD";
  const wants = isHead ? "info" : seek.wantsDuration ? "duration" : "media";
  const interfaceName =
    requestedInterface(taken, parts.log) ?? settings.upstreamInterfaceRtsp ?? settings.upstreamInterface;
  const about = { kind: "rtsp-tcp", url: shownUrl(formatRtspUrl(outcome.url)), interfaceName, receiver: "stream" };
  return {
    key: undefined,
    overflow: "pause",
    about,
    open: opener(settings, parts, { url: outcome.url, range: upstream.range, wants, about }, client),
    firstState: CLIENT_STATE.rtspInitial,
    // Asking what there is for HEAD takes no slot (http.md section 14).
    countsAsClient: !isHead,
    canSnapshot: wants === "media",
    accessLog: { serviceType: "rtsp", url: takeParameters(seek.url, CONSUMED_PARAMETERS).url },
  };
}

function opener(
  settings: RtspSettings,
  parts: PlannerParts,
  target: RtspTarget,
  client: string | undefined,
): UpstreamPlan["open"] {
  const options = {
    interfaceName: target.about.interfaceName,
    receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
    userAgent: settings.rtspUserAgent,
    stunServer: settings.rtspStunServer,
    timeoutMs: settings.stageTimeoutMs ?? STAGE_TIMEOUT_MS,
    resolve: settings.resolve,
    reach: parts.reach,
    client,
  };
  return (parent) => new RtspUpstream(target, options, parent, parts.log);
}
