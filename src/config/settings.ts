/** The settings: everything an operator can decide, in the units of the option that sets it. */

import type { LogLevel } from "../system/log.ts";

/** Where the HTTP server listens. */
export interface ListenAddress {
  /** A host name or an address without brackets; `undefined` means all addresses, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** The value of every setting. `options.ts` says which option sets it and what its default is. */
export interface SettingValues {
  /** Never empty. */
  listen: readonly ListenAddress[];
  /** Media clients of the whole program, 1 to 256. */
  maxClients: number;
  /** Media memory of one worker in buffers of 1536 bytes, at least 1. */
  bufferPoolMaxSize: number;
  /** Kernel receive buffer of a UDP socket in bytes, at least 65536; `undefined`: 4 MiB or what the system allows. */
  udpReceiveBufferSize: number | undefined;
  /** Interface for every upstream that has no interface of its own; `undefined`: the routing table decides. */
  upstreamInterface: string | undefined;
  /** Interface for multicast upstreams, before `upstreamInterface`. */
  upstreamInterfaceMulticast: string | undefined;
  /** Interface for HTTP upstreams, before `upstreamInterface`. */
  upstreamInterfaceHttp: string | undefined;
  /** User-Agent of proxied requests in place of the client's. */
  httpProxyUserAgent: string | undefined;
  /** `https://` links of proxied playlists and redirects lead through this relay too. */
  proxyHttps: boolean;
  /** Seconds between renewed joins of an IPv4 group, 0 = never. Has no upper bound: mind what a timer can hold. */
  multicastRejoinInterval: number;
  /** Seconds that a multicast stream which fell silent is kept while its group is joined again, 1 to 3600. */
  multicastGapTimeout: number;
  /** A newcomer to a running channel begins at the channel's last key frame. */
  fastStart: boolean;
  /** The highest level that the log writes. */
  verbosity: LogLevel;
  /** Serve upstreams that the URL names: `/rtp/`, `/udp/`, `/rtsp/` and `/http/`. */
  udpxy: boolean;
}

export type SettingName = keyof SettingValues;

/** What the program runs with. */
export interface Settings extends Readonly<SettingValues> {
  /** The settings that an option gave a valid value: these override the demo's defaults and the config file. */
  readonly given: ReadonlySet<SettingName>;
}

/** Settings while options are still being applied. */
export interface SettingsDraft {
  readonly values: SettingValues;
  readonly given: Set<SettingName>;
}
