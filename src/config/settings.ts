/** The settings: everything an operator can decide, in the units of the option that sets it. */

import type { LogLevel } from "../system/log.ts";
import type { ReachRule } from "../wire/ip/reach-rule.ts";
import type { UnicodeText } from "../wire/text/byte-string.ts";
import type { AllowedHost } from "../wire/url/allowed-hosts.ts";
import type { PathPrefix } from "../wire/url/path-prefix.ts";
import type { PublicHost } from "../wire/url/public-host.ts";

/** A TCP address to listen on. */
export interface TcpAddress {
  /** A host name or an address without brackets; `undefined` means all addresses, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A Unix socket to listen on. */
interface UnixAddress {
  /** Absolute and without blanks; how long a path may be is checked by `unixListenersProblem`. */
  readonly path: string;
}

/** Where the HTTP server listens. `isTcpAddress` tells the kinds apart. */
export type ListenAddress = TcpAddress | UnixAddress;

/** Local UDP ports, both ends included; 1 to 65535. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/** A server of the network. */
export interface HostAndPort {
  /** A host name, or an address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** The value of every setting that an option sets. `options.ts` says which, and what its default is. */
export interface SettingValues {
  /** Never empty. */
  listen: readonly ListenAddress[];
  /** Worker processes, 1 to 32. */
  workers: number;
  /** Media clients of the whole program, 1 to 65535. */
  maxClients: number;
  /** Connections of one worker, media clients included; `undefined`: as many as `maxClients` and 1024. */
  maxConnections: number | undefined;
  /** The same for one address, 0 = no limit; `undefined`: `maxClients` and 512, none behind a proxy that is trusted. */
  maxConnectionsPerAddress: number | undefined;
  /** Where the supervisor writes its process id. */
  pidFile: string | undefined;
  /** `NAME[:GROUP]` of the user to become when all is opened that needs more; `undefined`: the one that starts us. */
  user: string | undefined;
  /** Media memory of one worker in buffers of 1536 bytes, at least 1. */
  bufferPoolMaxSize: number;
  /** Kernel receive buffer of a UDP socket in bytes, at least 65536; `undefined`: 4 MiB or what the system allows. */
  udpReceiveBufferSize: number | undefined;
  /** Send without copying, where the runtime can. Off while there is a Unix listener. */
  zerocopyOnSend: boolean;
  /** The name that requests must ask for (http.md section 4). */
  hostname: PublicHost | undefined;
  /** Further names of this relay (http.md section 4). */
  allowedHosts: readonly AllowedHost[];
  /** Believe X-Forwarded-For and its kin. */
  xff: boolean;
  /** What requests must know; `undefined`: anybody may ask. */
  r2hToken: string | undefined;
  /** Access-Control-Allow-Origin of what we answer: `*` or an origin. */
  corsAllowOrigin: string | undefined;
  /** Serve upstreams that the URL names: `/rtp/`, `/udp/`, `/rtsp/` and `/http/`. */
  udpxy: boolean;
  /** Path below which everything is served. */
  appPathPrefix: PathPrefix | undefined;
  /** Path of the status page, with one leading slash and none at the end. */
  statusPagePath: string;
  /** Path of the player page, in the same form. */
  playerPagePath: string;
  /** What may be reached for clients (config.md section 18); empty: everything that is not denied. */
  upstreamAllow: readonly ReachRule[];
  /** What must not be reached for clients. */
  upstreamDeny: readonly ReachRule[];
  /** Interface for every upstream that has no interface of its own; `undefined`: the routing table decides. */
  upstreamInterface: string | undefined;
  /** Interface for multicast upstreams, before `upstreamInterface`. */
  upstreamInterfaceMulticast: string | undefined;
  /** Interface for FCC servers, before `upstreamInterface`. */
  upstreamInterfaceFcc: string | undefined;
  /** Interface for RTSP upstreams, before `upstreamInterface`. */
  upstreamInterfaceRtsp: string | undefined;
  /** Interface for HTTP upstreams, before `upstreamInterface`. */
  upstreamInterfaceHttp: string | undefined;
  /** Seconds between renewed joins of an IPv4 group, 0 = never. Has no upper bound: mind what a timer can hold. */
  multicastRejoinInterval: number;
  /** Seconds that a multicast stream which fell silent is kept while its group is joined again, 1 to 3600. */
  multicastGapTimeout: number;
  /** A newcomer to a running channel begins at the channel's last key frame. */
  fastStart: boolean;
  /** Every packet of every upstream is looked at, though nobody watches (health.md). */
  streamHealth: boolean;
  /** Where FCC sockets are bound; `undefined`: the system chooses. */
  fccListenPortRange: PortRange | undefined;
  /** The STUN server that RTSP asks for our public address; `undefined`: off. */
  rtspStunServer: HostAndPort | undefined;
  rtspUserAgent: string;
  /** User-Agent of proxied requests in place of the client's. */
  httpProxyUserAgent: string | undefined;
  /** Seconds. */
  httpAnswerTimeout: number;
  /** User-Agent of requests for playlists and guides. */
  playlistUserAgent: string;
  /** `https://` links of proxied playlists and redirects lead through this relay too. */
  proxyHttps: boolean;
  /** URLs of channel playlists: `file://` with an absolute path, `http://` or `https://`. */
  externalM3u: readonly string[];
  /** Seconds between loads of the playlists, 0 = once. Has no upper bound: mind what a timer can hold. */
  externalM3uUpdateInterval: number;
  /** Links of the playlist we serve are relative to its own URL. */
  useRelativePathInM3u: boolean;
  /** Serve pictures of running channels, made by FFmpeg. */
  videoSnapshot: boolean;
  /** The FFmpeg program, a path or a name to be found. */
  ffmpegPath: string;
  /** Several arguments in one text; may be empty. */
  ffmpegArgs: string;
  /** The highest level that the log writes. */
  verbosity: LogLevel;
  /** File of the access log; `undefined`: none is written. */
  accessLog: string | undefined;
  /** A line of the access log (config.md section 14). */
  logFormat: string;
}

export type SettingName = keyof SettingValues;

/** What the program runs with. */
export interface Settings extends Readonly<SettingValues> {
  /** The inline M3U playlist of the config file's `[services]`, lines ending in `\n`; empty when there is none. */
  readonly services: UnicodeText;
  /** The settings that the command line or a config file gave a valid value: these override the demo's defaults. */
  readonly given: ReadonlySet<SettingName>;
}

/** Settings while options are still being applied. */
export interface SettingsDraft {
  readonly values: SettingValues;
  readonly given: Set<SettingName>;
}
