/** Where people open this relay: the URLs that the banner of the start shows (config.md section 19). */

import { networkInterfaces } from "node:os";
import type { Settings } from "../config/settings.ts";
import { utf8Decode } from "../wire/text/byte-string.ts";
import { formatAuthority } from "../wire/url/authority.ts";
import { baseUrl } from "../wire/url/base-url.ts";
import { prefixBytes } from "../wire/url/path-prefix.ts";
import { percentEncodeText } from "../wire/url/percent.ts";
import { ownAddresses } from "../worker/own-address.ts";

export interface Listening {
  readonly address: string;
  readonly port: number;
}

export interface InterfaceAddress {
  readonly interfaceName: string;
  readonly address: string;
}

type PlaceSettings = Pick<
  Settings,
  | "hostname"
  | "appPathPrefix"
  | "r2hToken"
  | "upstreamInterface"
  | "upstreamInterfaceFcc"
  | "upstreamInterfaceRtsp"
  | "upstreamInterfaceMulticast"
>;

/** All addresses of this machine. */
export function interfaceAddresses(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
    addresses.map(({ address }) => ({ interfaceName, address })),
  );
}

export class OwnPlaces {
  readonly #settings: PlaceSettings;
  readonly #base: string | undefined;
  /** `192.168.1.2:5140` and the like: what else leads here. The first is what the URLs have. */
  readonly authorities: readonly string[];

  constructor(listeners: readonly Listening[], all: readonly InterfaceAddress[], settings: PlaceSettings) {
    this.#settings = settings;
    const endpoints = reachable(listeners, all, settings);
    this.authorities = settings.hostname ? [] : endpoints.map(formatAuthority);
    const [local] = endpoints;
    const rules = { relative: false, trustForwarded: false, appPathPrefix: prefixBytes(settings.appPathPrefix) };
    this.#base = local && utf8Decode(baseUrl([], { ...rules, hostname: settings.hostname, local })).replace(/\/$/, "");
  }

  /**
   * With all that is needed to be let in; the log masks the token.
   * @param path begins with `/`
   * @returns undefined while only Unix sockets are listened on
   */
  url(path: string): string | undefined {
    if (this.#base === undefined) return undefined;
    const { r2hToken } = this.#settings;
    return `${this.#base}${path}${r2hToken === undefined ? "" : `?r2h-token=${percentEncodeText(r2hToken)}`}`;
  }
}

/** Best first: what is listened on, and for all addresses those of this machine that others reach. */
function reachable(
  listeners: readonly Listening[],
  all: readonly InterfaceAddress[],
  settings: PlaceSettings,
): { readonly host: string; readonly port: number }[] {
  const { upstreamInterface, upstreamInterfaceFcc, upstreamInterfaceRtsp, upstreamInterfaceMulticast } = settings;
  const upstream = [upstreamInterface, upstreamInterfaceFcc, upstreamInterfaceRtsp, upstreamInterfaceMulticast];
  const ranked = ownAddresses(
    all,
    upstream.filter((name) => name !== undefined),
  );
  const hostsOf = (address: string) =>
    address === "0.0.0.0"
      ? ranked.filter(isIpv4)
      : address === "::"
        ? ranked.filter((host) => !isIpv4(host))
        : [address];
  const endpoints = listeners.flatMap(({ address, port }) => hostsOf(address).map((host) => ({ host, port })));
  const place = ({ host }: { host: string }) => {
    const index = ranked.indexOf(host);
    return index < 0 ? ranked.length : index;
  };
  const found = endpoints.toSorted((a, b) => place(a) - place(b));
  // A machine without any network still has itself.
  return found.length > 0 ? found : listeners.slice(0, 1).map(({ port }) => ({ host: "localhost", port }));
}

function isIpv4(address: string): boolean {
  return !address.includes(":");
}
