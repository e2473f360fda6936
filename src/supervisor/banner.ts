/** What somebody who starts sluice wants to know: where to open it, what it receives on, what it has, what is missing (config.md section 19). */

import { PROGRAM_NAME, PROGRAM_VERSION } from "../config/program.ts";
import type { Settings } from "../config/settings.ts";
import { existingInterfaces } from "../system/interfaces.ts";
import { localAddressTowards } from "../system/local-address.ts";
import { formatIpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { type InterfaceAddress, interfaceAddresses, type Listening, OwnPlaces } from "./own-places.ts";

/** Other addresses that are named. */
const MAX_ALSO = 4;
const NAME_COLUMNS = 12;
/** Organization-local (RFC 2365): where groups of providers are, and what a route for multicast is for. */
const SOME_GROUP = parseIpAddress("239.1.1.1")!;

/** What a worker has loaded. */
export interface LoadedChannels {
  readonly channels: number;
  /** Lists that could not be loaded so far. */
  readonly failed: number;
}

export interface BannerFacts {
  readonly settings: Settings;
  readonly listeners: readonly Listening[];
  readonly unixSockets: readonly string[];
  /** Undefined while lists are being loaded. */
  readonly loaded: LoadedChannels | undefined;
  /** Default: those of this machine. */
  readonly addresses?: readonly InterfaceAddress[];
}

interface BannerLine {
  readonly name: string;
  readonly text: string;
}

/** URLs have the token in them: print them, or leave them to the log, which masks it. */
export function bannerLines(facts: BannerFacts): BannerLine[] {
  const { settings, listeners, unixSockets, loaded, addresses = interfaceAddresses() } = facts;
  const places = new OwnPlaces(listeners, addresses, settings);
  const lines: { readonly name: string; readonly text: string | undefined }[] = [
    { name: "player", text: places.url(settings.playerPagePath) },
    { name: "status", text: places.url(settings.statusPagePath) },
    { name: "playlist", text: places.url("/playlist.m3u") },
    { name: "also at", text: alsoAt(places.authorities.slice(1)) },
    { name: "Unix socket", text: unixSockets.join(", ") || undefined },
    { name: "multicast", text: multicastText(settings, addresses) },
    { name: "channels", text: channelsText(settings, loaded) },
  ];
  return lines.flatMap(({ name, text }) => (text === undefined ? [] : [{ name, text }]));
}

/** For a terminal. */
export function bannerText(lines: readonly BannerLine[]): string {
  const rows = lines.map(({ name, text }) => `  ${name.padEnd(NAME_COLUMNS)} ${text}\n`);
  return `\n${PROGRAM_NAME} ${PROGRAM_VERSION}\n\n${rows.join("")}\n`;
}

export function channelsText(
  settings: Pick<Settings, "services" | "externalM3u" | "udpxy">,
  loaded: LoadedChannels | undefined,
): string {
  const { services, externalM3u, udpxy } = settings;
  const lists = externalM3u.length;
  if (services === "" && lists === 0) {
    return `none, as there is no playlist: name one with -M${udpxy ? ", or open /rtp/GROUP:PORT" : ""}`;
  }
  if (!loaded) return `still loading ${plural(lists, "playlist")}`;
  const { channels, failed } = loaded;
  return failed === 0
    ? `${channels}`
    : `${channels}; ${failed} of ${plural(lists, "playlist")} could not be loaded yet, see above`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function alsoAt(authorities: readonly string[]): string | undefined {
  if (authorities.length === 0) return undefined;
  const told = authorities.slice(0, MAX_ALSO).join(", ");
  return authorities.length > MAX_ALSO ? `${told} and ${authorities.length - MAX_ALSO} more` : told;
}

function multicastText(settings: Settings, addresses: readonly InterfaceAddress[]): string {
  const named = settings.upstreamInterfaceMulticast ?? settings.upstreamInterface;
  if (named !== undefined) return `on interface ${named}`;
  const own = localAddressTowards(SOME_GROUP, undefined);
  const address = own && formatIpAddress(own);
  const found = addresses.find((candidate) => candidate.address === address);
  if (found) return `on interface ${found.interfaceName}, as the routing table says; -r names another`;
  return `on none, as no route leads to 239.0.0.0/8; name an interface with -r: ${existingInterfaces()}`;
}
