/** The one door to the addresses of host names. Nobody else is made to wait, and files are read meanwhile (http-proxy.md section 4). */

import { addressesInHosts } from "../wire/dns/hosts-file.ts";
import {
  hasOtherNameServices,
  hostName,
  isLocalhost,
  isMulticastDnsName,
  parseSearchRules,
  withoutRoot,
} from "../wire/dns/resolver-config.ts";
import { type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { ChangingFile } from "./changing-file.ts";
import { type FoundName, inOrder, isUnknownName, NameError, queryName } from "./name-query.ts";
import { NameService, type NameSource, type ResolveOptions } from "./name-service.ts";
import { SystemResolver } from "./system-resolver.ts";

const MAX_HOSTS_BYTES = 8 * 1024 * 1024;
const MAX_CONFIG_BYTES = 64 * 1024;
const LOCALHOST = ["127.0.0.1", "::1"].map((text) => parseIpAddress(text)!);

/** This machine's ways, as its files say. */
class MachineNames implements NameSource {
  readonly #hosts = new ChangingFile("/etc/hosts", MAX_HOSTS_BYTES);
  readonly #switch = new ChangingFile("/etc/nsswitch.conf", MAX_CONFIG_BYTES);
  readonly #config = new ChangingFile("/etc/resolv.conf", MAX_CONFIG_BYTES, () => service.memory.forgetFailures());
  readonly #system = new SystemResolver();

  local(name: string): readonly IpAddress[] | undefined {
    // Looked at now, for what it may have to say about failures that are remembered.
    void this.#config.text;
    const listed = addressesInHosts(this.#hosts.text ?? "", withoutRoot(name));
    if (listed.length > 0) return inOrder(listed);
    return isLocalhost(name) ? inOrder(LOCALHOST) : undefined;
  }

  async ask(name: string, signal: AbortSignal): Promise<FoundName> {
    const config = this.#config.text;
    const hasOthers = hasOtherNameServices(this.#switch.text ?? "");
    if (config === undefined || (hasOthers && isMulticastDnsName(name))) return this.#system.resolve(name, signal);
    try {
      return await queryName(name, parseSearchRules(config), signal);
    } catch (error) {
      if (!hasOthers || !isUnknownName(error)) throw error;
      return this.#system.resolve(name, signal);
    }
  }
}

const service: NameService = new NameService(new MachineNames());

/**
 * All addresses in the order in which to try them; an address is its own. It takes 2.5 s at most.
 * @throws NameError, or another error with the same codes, when the name is unknown or no server answers; the reason of the signal
 */
export async function resolveHost(host: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
  const literal = parseIpAddress(host);
  if (literal) return [unmapped(literal)];
  const name = hostName(host);
  if (name === undefined) throw new NameError("ENOTFOUND", host);
  return (await service.resolve(name, options)).map(unmapped);
}

/** `::ffff:127.0.0.1` leads where 127.0.0.1 does (RFC 4291 section 2.5.5.2). */
function unmapped(address: IpAddress): IpAddress {
  const { family, bytes } = address;
  const isMapped = family === 6 && bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return isMapped ? { family: 4, bytes: bytes.subarray(12) } : address;
}
