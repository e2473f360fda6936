/** The table of options: flags, file keys, validation, help and the README's reference all come from here. */

import { LOG_ERROR } from "../system/log.ts";
import { action, type Option, setting } from "./option.ts";
import type { SettingsDraft, SettingValues } from "./settings.ts";
import { boolean, integer, interfaceName, listenAddresses, logLevel, optionalText } from "./values.ts";

const DEFAULT_PORT = 5140;
const UDP_RCVBUF_MIN_BYTES = 65536;

/** In the order of the help text. To add an option, add its field to `SettingValues` and its row here. */
export const OPTIONS: readonly Option[] = [
  setting("listen", {
    long: "listen",
    short: "l",
    argument: "[ADDR:]PORT",
    type: listenAddresses,
    initial: [{ host: undefined, port: DEFAULT_PORT }],
    help: "Address and port to listen on; may be repeated",
  }),
  setting("maxClients", {
    long: "maxclients",
    short: "m",
    argument: "N",
    keys: ["maxclients"],
    type: integer(1, 256),
    initial: 5,
    help: "Media clients served at the same time, 1 to 256",
  }),
  setting("bufferPoolMaxSize", {
    long: "buffer-pool-max-size",
    short: "b",
    argument: "N",
    keys: ["buffer-pool-max-size"],
    type: integer(1),
    initial: 16384,
    initialText: "16384, which is 24 MiB",
    help: "Media memory of a worker, in buffers of 1536 bytes",
  }),
  setting("udpReceiveBufferSize", {
    long: "udp-rcvbuf-size",
    short: "B",
    argument: "BYTES",
    keys: ["udp-rcvbuf-size"],
    type: integer(UDP_RCVBUF_MIN_BYTES, undefined, `${UDP_RCVBUF_MIN_BYTES} (64KB)`),
    initial: undefined,
    // Not rtp2httpd's 512 KiB: sluice reads in batches, between which the kernel must hold more.
    initialText: "4 MiB, or what the system allows",
    help: "Kernel receive buffer of a UDP socket, at least 65536",
  }),
  setting("upstreamInterface", {
    long: "upstream-interface",
    short: "i",
    argument: "IFNAME",
    keys: ["upstream-interface"],
    type: interfaceName,
    initial: undefined,
    help: "Network interface for all upstream traffic",
  }),
  setting("upstreamInterfaceMulticast", {
    long: "upstream-interface-multicast",
    short: "r",
    argument: "IFNAME",
    keys: ["upstream-interface-multicast"],
    type: interfaceName,
    initial: undefined,
    help: "Network interface for multicast; overrides --upstream-interface",
  }),
  setting("upstreamInterfaceHttp", {
    long: "upstream-interface-http",
    short: "y",
    argument: "IFNAME",
    keys: ["upstream-interface-http"],
    type: interfaceName,
    initial: undefined,
    help: "Network interface for HTTP upstreams; overrides --upstream-interface",
  }),
  setting("httpProxyUserAgent", {
    long: "http-proxy-user-agent",
    short: "g",
    argument: "TEXT",
    keys: ["http-proxy-user-agent"],
    type: optionalText,
    initial: undefined,
    help: "User-Agent of proxied requests in place of the client's",
  }),
  setting("proxyHttps", {
    long: "proxy-https",
    means: "on",
    keys: ["proxy-https"],
    type: boolean,
    initial: false,
    help: "Lead https:// links of proxied playlists and redirects through /https/ too",
    own: true,
  }),
  setting("multicastRejoinInterval", {
    long: "mcast-rejoin-interval",
    short: "R",
    argument: "SECONDS",
    keys: ["mcast-rejoin-interval"],
    type: integer(0),
    initial: 0,
    help: "Join IPv4 groups again at this interval, 0 = never",
  }),
  setting("multicastGapTimeout", {
    long: "mcast-gap-timeout",
    argument: "SECONDS",
    keys: ["mcast-gap-timeout"],
    type: integer(1, 3600),
    initial: 15,
    help: "Keep a silent multicast stream this long while rejoining, 1 to 3600",
    own: true,
  }),
  setting("fastStart", {
    long: "no-fast-start",
    means: "off",
    keys: ["fast-start"],
    type: boolean,
    initial: true,
    help: "Do not begin at the last key frame of a channel that is already running",
    own: true,
  }),
  setting("udpxy", {
    long: "noudpxy",
    short: "U",
    means: "off",
    keys: ["udpxy"],
    type: boolean,
    initial: true,
    help: "Serve no upstream named in a URL: no /rtp/, /udp/, /rtsp/ and /http/",
  }),
  setting("verbosity", {
    long: "verbose",
    short: "v",
    argument: "LEVEL",
    keys: ["verbosity"],
    type: logLevel,
    initial: LOG_ERROR,
    help: "Log level: 0 fatal, 1 error, 2 warn, 3 info, 4 debug",
  }),
  setting("verbosity", {
    long: "quiet",
    short: "q",
    means: "0",
    type: logLevel,
    help: "Log fatal errors only, the same as -v 0",
  }),
  action("none", { long: "noconfig", short: "C", help: "Do not read the default config file" }),
  action("help", { long: "help", short: "h", help: "Show this help and exit" }),
  action("version", { long: "version", help: "Show the version and exit", own: true }),
];

/** A draft in which every setting has its default and none counts as given. */
export function defaultDraft(): SettingsDraft {
  // Complete after the loop: a test compares the result with every field of the interface.
  const draft: SettingsDraft = { values: {} as SettingValues, given: new Set() };
  for (const { effect } of OPTIONS) if (effect.kind === "set") effect.reset(draft);
  return draft;
}
