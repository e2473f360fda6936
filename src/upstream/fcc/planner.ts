/** What an `rtp://` or `udp://` URL with `fcc=` asks for: the group with a burst before it (fcc.md section 1). */
import { existingInterfaces, hasInterface } from "../../system/interfaces.ts";
import type { Log } from "../../system/log.ts";
import { isMulticast, parseIpAddress } from "../../wire/ip/address.ts";
import type { ByteString } from "../../wire/text/byte-string.ts";
import { queryParameter } from "../../wire/url/query.ts";
import { requestedInterface } from "../interface-parameter.ts";
import { type GroupOpener, joinGroup, type MulticastSettings, multicastPlanner } from "../multicast/planner.ts";
import { multicastInfo } from "../multicast/session.ts";
import { type MulticastUrl, parseHostPort } from "../multicast/url.ts";
import type { Planner, PlannerParts } from "../planner.ts";
import { usualDialect } from "./candidates.ts";
import type { DialectName } from "./dialect.ts";
import { KnownServers } from "./known-servers.ts";
import { type FccTarget, FccUpstream } from "./upstream.ts";

/** The settings of this room, and of the groups that it opens. */
export interface FccSettings extends MulticastSettings {
  readonly upstreamInterfaceFcc: string | undefined;
  readonly fccListenPortRange: FccTarget["portRange"];
}

/** What is learned of servers stays when the settings change. */
const KNOWN_SERVERS = new KnownServers();

export function fccPlanner(settings: FccSettings, parts: PlannerParts, known = KNOWN_SERVERS): Planner {
  const { log, reach } = parts;
  return multicastPlanner(settings, parts, (query, url) => {
    const server = fccServer(query, url, log);
    if (!server) return undefined;
    const target: FccTarget = {
      server,
      dialect: askedDialect(query),
      interfaceName:
        requestedInterface(query, log, "r2h-ifname-fcc") ??
        requestedInterface(query, log) ??
        settings.upstreamInterfaceFcc ??
        settings.upstreamInterface,
      portRange: settings.fccListenPortRange,
      reach,
    };
    return opener(target, known, log);
  });
}

function opener(fcc: FccTarget, known: KnownServers, log: Log): GroupOpener {
  const dialect = fcc.dialect ?? usualDialect(fcc.server.port);
  return {
    metadata: [...multicastInfo(undefined).metadata, ["R2H-FCC-Type", dialect]],
    open(parent, target, options) {
      // A name may lead to an IPv6 group, and then there is no FCC.
      if (target.group.family !== 4 || !isMulticast(target.group)) return joinGroup(parent, target, options, log);
      reportMissing(fcc.interfaceName, log);
      return new FccUpstream(parent, target, fcc, options, known, log, performance.now());
    },
  };
}

function reportMissing(interfaceName: string | undefined, log: Log): void {
  if (interfaceName === undefined || hasInterface(interfaceName)) return;
  const which = `the interface ${interfaceName}, which does not exist (now)`;
  log.error(`FCC servers cannot be asked on ${which}, the routing table chooses: ${existingInterfaces()}`);
}

/** Undefined when the URL names none, or one that cannot be used. */
function fccServer(query: ByteString, { group }: MulticastUrl, log: Log): FccTarget["server"] | undefined {
  const text = queryParameter(query, "fcc");
  if (!text) return undefined;
  const server = parseHostPort(text);
  const why =
    server?.port === undefined
      ? "it has no port"
      : isUnfit(server.host)
        ? "an FCC server has an IPv4 address"
        : parseIpAddress(group)?.family === 6
          ? "FCC is for IPv4 groups"
          : undefined;
  if (why === undefined) return { host: server!.host, port: server!.port! };
  log.warn(`fcc=${text} is ignored: ${why}`);
  return undefined;
}

function isUnfit(host: string): boolean {
  const literal = parseIpAddress(host);
  return literal !== undefined && (literal.family === 6 || isMulticast(literal));
}

/** Unknown ones count as none. */
function askedDialect(query: ByteString): DialectName | undefined {
  const name = queryParameter(query, "fcc-type")?.toLowerCase();
  return name === "huawei" || name === "telecom" ? name : undefined;
}
