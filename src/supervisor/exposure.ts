/** Whether strangers can reach a listener: it is on an address of global reach (config.md section 18). */

import { formatIpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { matches, mustReadReachRule } from "../wire/ip/reach-rule.ts";

/** Global unicast of IPv6 (RFC 4291 section 2.4); of IPv4 everything but the special addresses (RFC 6890). */
const GLOBAL = ["0.0.0.0/0", "2000::/3"].map(mustReadReachRule);
const SPECIAL = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"],
  "2001:db8::/32",
].map(mustReadReachRule);

interface Listening {
  readonly address: string;
  readonly port: number;
}

/**
 * The first listener that strangers can reach, `203.0.113.1 port 5140`; undefined when there is none.
 * @param own addresses of the interfaces, for listeners on all of them
 */
export function exposedListener(listeners: readonly Listening[], own: readonly string[]): string | undefined {
  for (const { address, port } of listeners) {
    const family = WILDCARDS.get(address);
    const reached = family === undefined ? [address] : own.filter((text) => parseIpAddress(text)?.family === family);
    const found = reached.find(isGlobal);
    if (found !== undefined) return `${found} port ${port}`;
  }
  return undefined;
}

const WILDCARDS: ReadonlyMap<string, 4 | 6> = new Map([
  ["0.0.0.0", 4],
  ["::", 6],
] as const);

function isGlobal(text: string): boolean {
  const address = parseIpAddress(text);
  if (!address) return false;
  const target = { host: formatIpAddress(address), address, port: 0 };
  return GLOBAL.some((rule) => matches(rule, target)) && !SPECIAL.some((rule) => matches(rule, target));
}
