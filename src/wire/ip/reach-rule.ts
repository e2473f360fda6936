/** One rule of `upstream-allow` and `upstream-deny`: which hosts, addresses and ports it is for (config.md section 18). */
import { type IpAddress, parseIpAddress } from "./address.ts";

/** Plain data: settings travel between processes. */
export interface ReachRule {
  /** As it was written. */
  readonly text: string;
  readonly host: HostRule;
  /** Both ends included; undefined for all. */
  readonly ports: { readonly min: number; readonly max: number } | undefined;
}

type HostRule =
  | { readonly kind: "any" }
  | { readonly kind: "network"; readonly bytes: readonly number[]; readonly bits: number }
  | { readonly kind: "name"; readonly name: string }
  /** `suffix` begins with a dot. */
  | { readonly kind: "subdomains"; readonly suffix: string }
  /** Nobody knows what was meant: as a denial it is for everything, as a permission for nothing. */
  | { readonly kind: "unreadable" };

/** Whom a connection or a datagram is for. */
export interface ReachTarget {
  /** As the URL has it; an address is its own name. */
  readonly host: string;
  readonly address: IpAddress;
  readonly port: number;
}

/** RFC 1035 section 2.3.4. */
const MAX_NAME_BYTES = 255;
const PORT_MAX = 65535;

/** `[IPv6/BITS]:PORTS`, `[IPv6]/BITS:PORTS`, or anything else without colons before `:PORTS`. */
const RULE = /^(?:\[([^\]]*)\](\/\d+)?|([^[\]:]*))(?::([^:[\]]*))?$/;

/** Reads one rule; a text says why it is none. */
export function readReachRule(text: string): ReachRule | string {
  const [, bracketed, bitsBehind = "", plain = "", portText] = RULE.exec(bareAddress(text)) ?? [];
  const ports = portText === undefined ? undefined : readPorts(portText);
  if (ports === "invalid") return `${portText} is no port: write one from 1 to ${PORT_MAX}, or FIRST-LAST`;
  const hostText = bracketed === undefined ? plain : bracketed + bitsBehind;
  if (hostText === "" && !ports) return "write an address, ADDRESS/BITS, a name, *.DOMAIN, * or :PORT";
  const host = hostText === "" || hostText === "*" ? ({ kind: "any" } as const) : readHost(hostText);
  if (typeof host === "string") return host;
  if (bracketed !== undefined && !bracketed.includes(":")) return "brackets are for IPv6 addresses";
  return { text, host, ports };
}

/** Of a text that is known to be a rule. @throws Error when it is none */
export function mustReadReachRule(text: string): ReachRule {
  const rule = readReachRule(text);
  if (typeof rule === "string") throw new Error(rule);
  return rule;
}

/** In the place of a rule that could not be read. */
export function unreadableRule(text: string): ReachRule {
  return { text, host: { kind: "unreadable" }, ports: undefined };
}

export function matches({ host, ports }: ReachRule, target: ReachTarget): boolean {
  if (ports && (target.port < ports.min || target.port > ports.max)) return false;
  switch (host.kind) {
    case "any":
      return true;
    case "network":
      return faces(target.address).some((bytes) => isWithin(bytes, host));
    case "name":
      return nameOf(target.host) === host.name;
    case "subdomains":
      return nameOf(target.host).endsWith(host.suffix);
    case "unreadable":
      return false;
  }
}

function isWithin(bytes: Uint8Array, network: { readonly bytes: readonly number[]; readonly bits: number }): boolean {
  if (bytes.length !== network.bytes.length) return false;
  return network.bytes.every((byte, i) => ((byte ^ bytes[i]!) & maskOf(network.bits, i)) === 0);
}

/** Of byte `i`: those of its bits that belong to the first `bits`. */
function maskOf(bits: number, i: number): number {
  return (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff;
}

/**
 * All addresses that one leads to: an IPv6 address to the IPv4 address in it, mapped, compatible, translated (NAT64) or
 * tunnelled (6to4), and the unspecified one to this machine.
 */
function faces({ bytes }: IpAddress): Uint8Array[] {
  if (bytes.every((byte) => byte === 0)) return [bytes, ...LOOPBACKS];
  if (bytes.length === 4) return [bytes];
  const carrier = CARRIERS.find(({ prefix }) => prefix.every((byte, i) => bytes[i] === byte));
  return carrier ? [bytes, bytes.subarray(carrier.prefix.length, carrier.prefix.length + 4)] : [bytes];
}

const LOOPBACKS = ["127.0.0.1", "::1"].map((text) => parseIpAddress(text)!.bytes);
const ZEROS = (count: number): number[] => new Array<number>(count).fill(0);
const CARRIERS: readonly { readonly prefix: readonly number[] }[] = [
  { prefix: [...ZEROS(10), 0xff, 0xff] },
  { prefix: ZEROS(12) },
  { prefix: [0x00, 0x64, 0xff, 0x9b, ...ZEROS(8)] },
  { prefix: [0x20, 0x02] },
];

/** For comparison: the root's dot says nothing. */
export function nameOf(host: string): string {
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

/** An IPv6 address without brackets has no port: brackets make it one of the others. */
function bareAddress(text: string): string {
  return /^[^[\]]*:[^[\]]*:/.test(text) ? `[${text}]` : text;
}

function readPorts(text: string): ReachRule["ports"] | "invalid" {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [min, max] = [Number(first), Number(last)];
  return min >= 1 && max >= min && max <= PORT_MAX ? { min, max } : "invalid";
}

function readHost(text: string): HostRule | string {
  const [, addressText = text, bitsText] = /^(.*)\/([^/]*)$/s.exec(text) ?? [];
  const address = parseIpAddress(addressText);
  if (address) return readNetwork(address, bitsText);
  if (bitsText !== undefined) return `${addressText} is no address`;
  if (/^[\d.]+$/.test(text) || text.includes(":")) return `${text} is no address`;
  const name = nameOf(text);
  const isPattern = name.startsWith("*.");
  const label = isPattern ? name.slice(2) : name;
  if (name.length > MAX_NAME_BYTES || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(label)) {
    return `${text} is no host name; an asterisk may only stand alone or as in *.example.net`;
  }
  return isPattern ? { kind: "subdomains", suffix: `.${label}` } : { kind: "name", name };
}

function readNetwork(address: IpAddress, bitsText: string | undefined): HostRule | string {
  const { bytes, zone } = address;
  const most = bytes.length * 8;
  const bits = bitsText === undefined ? most : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : most + 1;
  if (zone !== undefined) return "an address is written without a zone here";
  if (bits > most) return `/${bitsText} is no prefix length: write 0 to ${most}`;
  // Bits behind the prefix say nothing.
  return { kind: "network", bytes: Array.from(bytes, (byte, i) => byte & maskOf(bits, i)), bits };
}
