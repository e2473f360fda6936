/** The one table of protocols: the scheme of a URL leads to the planner that says what it asks for. */
import type { ByteString } from "../wire/text/byte-string.ts";
import { type FccSettings, fccPlanner } from "./fcc/planner.ts";
import { type HttpSettings, httpPlanner, isServableHttp } from "./http/planner.ts";
import { isServableGroup } from "./multicast/planner.ts";
import type { Planner, PlannerParts } from "./planner.ts";
import { isServableRtsp, type RtspSettings, rtspPlanner } from "./rtsp/planner.ts";
import { teardownsOver } from "./rtsp/teardown.ts";

/** A protocol: `schemes` are those of its URLs, which also begin the paths of requests, `/rtp/…`. */
export interface Protocol {
  readonly schemes: readonly string[];
  readonly planner: (settings: UpstreamSettings, parts: PlannerParts) => Planner;
  /** Whether what stands behind `scheme://` can be served, as far as is known without asking anybody. */
  readonly isServable: (rest: ByteString) => boolean;
  /** Whether entries of playlists are served; by default they are. A client's own URL is in any case. */
  readonly servesEntries?: (settings: UpstreamSettings) => boolean;
  /** Resolves when servers have heard that their sessions are over, at the latest after `limitMs`. */
  readonly finished?: (limitMs: number) => Promise<void>;
}

export type UpstreamSettings = FccSettings & RtspSettings & HttpSettings;

export const PROTOCOLS: readonly Protocol[] = [
  { schemes: ["rtp", "udp"], planner: fccPlanner, isServable: isServableGroup },
  { schemes: ["rtsp"], planner: rtspPlanner, isServable: isServableRtsp, finished: teardownsOver },
  { schemes: ["http"], planner: httpPlanner, isServable: isServableHttp },
  { schemes: ["https"], planner: httpPlanner, isServable: isServableHttp, servesEntries: (s) => s.proxyHttps },
];

export type EntrySchemes = ReadonlyMap<string, (rest: ByteString) => boolean>;

/** By scheme. */
export type Planners = ReadonlyMap<string, Planner>;

export function planners(settings: UpstreamSettings, parts: PlannerParts, protocols = PROTOCOLS): Planners {
  return new Map(
    protocols.flatMap(({ schemes, planner }) => {
      const plan = planner(settings, parts);
      return schemes.map((scheme) => [scheme, plan] as const);
    }),
  );
}

/** The schemes whose entries in playlists are served, each with the test of what stands behind `scheme://`. */
export function entrySchemes(settings: UpstreamSettings, protocols = PROTOCOLS): EntrySchemes {
  const served = protocols.filter(({ servesEntries }) => servesEntries?.(settings) ?? true);
  return new Map(served.flatMap(({ schemes, isServable }) => schemes.map((scheme) => [scheme, isServable] as const)));
}

/** Resolves when a process can end without leaving sessions behind on servers, at the latest after `limitMs`. */
export async function protocolsFinished(limitMs: number): Promise<void> {
  await Promise.all(PROTOCOLS.map(({ finished }) => finished?.(limitMs)));
}
