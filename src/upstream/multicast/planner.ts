/** What an `rtp://` or `udp://` URL asks for (http.md section 10, multicast.md section 1). */

import {
  ForbiddenError,
  type StreamInfo,
  type Upstream,
  type UpstreamAbout,
  type UpstreamParent,
} from "../../relay/upstream.ts";
import { RECEIVER_KIND, type ReceiverKind } from "../../system/datagram-receiver.ts";
import type { Log } from "../../system/log.ts";
import type { Reach } from "../../system/reach.ts";
import { shown } from "../../system/shown.ts";
import { USUAL_RECEIVE_BUFFER_BYTES } from "../../system/socket.ts";
import { formatIpAddress, parseIpAddress } from "../../wire/ip/address.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import { asByteString, type ByteString } from "../../wire/text/byte-string.ts";
import { percentDecode } from "../../wire/url/percent.ts";
import { queryParameter } from "../../wire/url/query.ts";
import { requestedInterface } from "../interface-parameter.ts";
import type { PlannedUpstream, Planner, PlannerParts } from "../planner.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { shownUrl } from "../shown-url.ts";
import { NamedGroup } from "./named-group.ts";
import { MulticastSession, multicastInfo } from "./session.ts";
import type { MulticastOptions, MulticastTarget } from "./target.ts";
import { type MulticastUrl, parseMulticastUrl, parsePorts } from "./url.ts";

/** The settings of this room. */
export interface MulticastSettings {
  readonly upstreamInterfaceMulticast: string | undefined;
  readonly upstreamInterface: string | undefined;
  readonly udpReceiveBufferSize: number | undefined;
  readonly multicastRejoinInterval: number;
  readonly multicastGapTimeout: number;
  /** The kind to use instead of the best one that this machine can have. */
  readonly receiver?: ReceiverKind;
}

/** @param rest of the URL, behind its scheme */
export function isServableGroup(rest: ByteString): boolean {
  return readUrl(rest) !== undefined;
}

function readUrl(rest: ByteString): { address: MulticastUrl; text: ByteString; query: ByteString } | undefined {
  const mark = rest.indexOf("?");
  const raw = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? asByteString("") : rest.slice(mark + 1).split("#", 1)[0]!;
  const address = parseMulticastUrl(raw);
  // An `fcc` parameter without a server makes no sense to anybody.
  if (!address || queryParameter(query, "fcc") === "") return undefined;
  return { address, text: percentDecode(raw) ?? raw, query };
}

/** How the groups of a URL are opened. */
export interface GroupOpener {
  /** What is known of the media before. */
  readonly metadata: StreamInfo["metadata"];
  open(parent: UpstreamParent, target: MulticastTarget, options: MulticastOptions): Upstream;
}

/** Finds another way to open the group of a URL than to join it; undefined: there is none. */
type FindOpener = (query: ByteString, url: MulticastUrl) => GroupOpener | undefined;

/** @throws JoinFailedError, InterfaceMissingError */
export function joinGroup(
  parent: UpstreamParent,
  target: MulticastTarget,
  options: MulticastOptions,
  log: Log,
): MulticastSession {
  return new MulticastSession(parent, target, options, log, performance.now(), new Depacketizer(parent));
}

export function multicastPlanner(
  settings: MulticastSettings,
  { log, reach }: PlannerParts,
  findOpener: FindOpener = () => undefined,
): Planner {
  const options: MulticastOptions = {
    receiveBufferBytes: settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES,
    rejoinIntervalS: settings.multicastRejoinInterval,
    gapTimeoutS: settings.multicastGapTimeout,
    ...(settings.receiver && { receiver: settings.receiver }),
  };
  const receiver = settings.receiver ?? RECEIVER_KIND;
  const joining: GroupOpener = {
    metadata: multicastInfo(undefined).metadata,
    open: (parent, target) => joinGroup(parent, target, options, log),
  };
  return ({ url, method }) => {
    const [scheme = "", ...others] = url.split("://");
    const read = readUrl(asByteString(others.join("://")));
    if (!read) return { status: 404 };
    const { address, text, query } = read;
    const name = asByteString(shown(`${scheme}://${text}`));
    const interfaceName =
      requestedInterface(query, log) ?? settings.upstreamInterfaceMulticast ?? settings.upstreamInterface;
    const about = { kind: "multicast", url: shownUrl(name), interfaceName, receiver };
    const plan = {
      about,
      overflow: "skip",
      firstState: CLIENT_STATE.connecting,
      canSnapshot: true,
      accessLog: { serviceType: "rtp", url: name },
    } as const;
    const opener = findOpener(query, address) ?? joining;
    if (method === "HEAD") return { ...plan, key: undefined, countsAsClient: false, open: describe(about, opener) };
    // On the port of the media, parity is recognised anyway.
    const parityPorts = parsePorts(queryParameter(query, "fec") ?? "").filter((port) => port !== address.port);
    const opened = openGroup(name, address, parityPorts, about, opener, options, reach, log);
    return { ...plan, countsAsClient: true, ...opened };
  };
}

/** Nothing is joined: only what is known without asking. */
function describe(about: UpstreamAbout, { metadata }: GroupOpener) {
  return (parent: UpstreamParent) => {
    parent.opened();
    parent.ended(undefined);
    return { about, info: { metadata }, rtp: undefined, tickMs: 1000, tick() {}, close() {} };
  };
}

/** Requests with the same key share one upstream, with the parity of the one that has opened it. */
function openGroup(
  name: string,
  url: MulticastUrl,
  parityPorts: readonly number[],
  about: UpstreamAbout,
  opener: GroupOpener,
  options: MulticastOptions,
  reach: Reach,
  log: Log,
): Pick<PlannedUpstream, "key" | "open"> {
  const where = { name, port: url.port, parityPorts, about, interfaceName: about.interfaceName };
  const group = parseIpAddress(url.group);
  const source = url.source === undefined ? undefined : parseIpAddress(url.source);
  const join = (parent: UpstreamParent, target: MulticastTarget) => {
    permit(reach, url, target);
    return opener.open(parent, target, options);
  };
  const from = url.source === undefined ? "" : `${source ? formatIpAddress(source) : url.source}@`;
  const key = `multicast ${from}${group ? formatIpAddress(group) : url.group} ${url.port} ${about.interfaceName ?? ""}`;
  const isLiteral = group !== undefined && (url.source === undefined || source !== undefined);
  return {
    key,
    open: (parent) =>
      isLiteral
        ? join(parent, { ...where, group, ...(source && { source }) })
        : new NamedGroup(parent, url, about, log, (addresses) => join(parent, { ...where, ...addresses })),
  };
}

/** @throws ForbiddenError when the group or its source must not be asked for */
function permit(reach: Reach, url: MulticastUrl, { name, group, source, port }: MulticastTarget): void {
  const isSourceNamed = source !== undefined && url.source !== undefined;
  const problem =
    reach.datagrams({ host: url.group, address: group, port }) ??
    (isSourceNamed ? reach.datagrams({ host: url.source, address: source, port }) : undefined);
  if (problem) throw new ForbiddenError(name, problem.reason);
}
