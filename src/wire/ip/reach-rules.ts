/** What the rules for upstreams decide: a pure function of options, address and port (config.md section 18). */
import { formatIpAddress, parseIpAddress } from "./address.ts";
import { matches, mustReadReachRule, nameOf, type ReachRule, type ReachTarget } from "./reach-rule.ts";

export interface ReachRules {
  readonly upstreamAllow: readonly ReachRule[];
  readonly upstreamDeny: readonly ReachRule[];
}

/**
 * Closed unless `upstream-allow` names them: link-local addresses (RFC 3927, RFC 4291 section 2.5.6), and those at which clouds
 * tell a machine its secrets and which are not among them.
 */
const CLOSED: readonly (readonly [what: string, networks: readonly string[]])[] = [
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["a cloud's metadata service", ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]],
];
const CLOSED_RULES = CLOSED.map(([what, networks]) => ({ what, rules: networks.map(mustReadReachRule) }));

/**
 * Why a target is refused, in words that name the option; undefined when it may be reached. A denial counts more than a
 * permission. Where there are permissions, only those are open.
 */
export function reachRefusal({ upstreamAllow, upstreamDeny }: ReachRules, target: ReachTarget): string | undefined {
  const name = showTarget(target);
  const denial = upstreamDeny.find((rule) => matches(rule, target) || rule.host.kind === "unreadable");
  if (denial) return `${name} is closed by upstream-deny=${denial.text}`;
  const permissions = upstreamAllow.filter((rule) => matches(rule, target));
  const closed = CLOSED_RULES.find(({ rules }) => rules.some((rule) => matches(rule, target)));
  if (closed && !permissions.some(isParticular)) {
    return `${name} is ${closed.what}, which is closed unless upstream-allow names it`;
  }
  if (upstreamAllow.length === 0 || permissions.length > 0) return undefined;
  return `${name} is not in upstream-allow`;
}

/** Whether a rule names somebody: what is for all says nothing of those that are closed without being asked. */
function isParticular({ host }: ReachRule): boolean {
  return host.kind === "name" || (host.kind === "network" && host.bits > 0);
}

/** `tv.test at 10.0.0.1:80` */
function showTarget({ host, address, port }: ReachTarget): string {
  const text = formatIpAddress(address);
  const name = address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`;
  return nameOf(host) === text || parseIpAddress(host) ? name : `${host} at ${name}`;
}
