/** The one table of protocols: the scheme of a URL leads to the planner that says what it asks for. */
import { type FccSettings, fccPlanner } from "./fcc/planner.ts";
import { type HttpSettings, httpPlanner } from "./http/planner.ts";
import type { Planner, PlannerParts } from "./planner.ts";
import { type RtspSettings, rtspPlanner } from "./rtsp/planner.ts";
import { teardownsOver } from "./rtsp/teardown.ts";

/** A protocol: `schemes` are those of its URLs, which also begin the paths of requests, `/rtp/…`. */
export interface Protocol {
  readonly schemes: readonly string[];
  readonly planner: (settings: UpstreamSettings, parts: PlannerParts) => Planner;
  /** Resolves when servers have heard that their sessions are over, at the latest after `limitMs`. */
  readonly finished?: (limitMs: number) => Promise<void>;
}

export type UpstreamSettings = FccSettings & RtspSettings & HttpSettings;

export const PROTOCOLS: readonly Protocol[] = [
  { schemes: ["rtp", "udp"], planner: fccPlanner },
  { schemes: ["rtsp"], planner: rtspPlanner, finished: teardownsOver },
  { schemes: ["http", "https"], planner: httpPlanner },
];

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

/** Resolves when a process can end without leaving sessions behind on servers, at the latest after `limitMs`. */
export async function protocolsFinished(limitMs: number): Promise<void> {
  await Promise.all(PROTOCOLS.map(({ finished }) => finished?.(limitMs)));
}
