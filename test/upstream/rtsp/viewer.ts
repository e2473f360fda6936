/** A consumer of an RTSP URL on a hub of its own, without HTTP: it checks what it is given, and remembers what it is told. */
import type { Consumer } from "../../../src/relay/consumer.ts";
import { Hub, type Subscription } from "../../../src/relay/hub.ts";
import type { StreamInfo, UpstreamError } from "../../../src/relay/upstream.ts";
import type { PlannedUpstream, PlanRequest } from "../../../src/upstream/planner.ts";
import { type RtspSettings, rtspPlanner } from "../../../src/upstream/rtsp/planner.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { OPEN_REACH } from "../../fakes/reach.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { TsVerifier } from "../../fakes/ts-verifier.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 6000;
export const STREAM_ID = 1;

export const SETTINGS: RtspSettings = {
  upstreamInterface: undefined,
  upstreamInterfaceRtsp: undefined,
  udpReceiveBufferSize: 512 * 1024,
  rtspUserAgent: "sluice/test",
  rtspStunServer: undefined,
};

export const REQUEST: PlanRequest = {
  url: asByteString(""),
  serviceUrl: undefined,
  path: asByteString("/"),
  method: "GET",
  headers: [],
  body: new Uint8Array(0),
  isSnapshot: false,
  nowMs: Date.UTC(2024, 0, 1),
};

/** What planners need of a worker that has no links. */
export function plannerParts(log = recordingLog()) {
  const rules = { relative: true, appPathPrefix: "", trustForwarded: false, ownAddress: () => undefined } as never;
  return { log, links: { rules, encodedToken: undefined }, reach: OPEN_REACH };
}

export class Viewer implements Consumer, Disposable {
  readonly log = recordingLog();
  readonly verifier = new TsVerifier(STREAM_ID);
  readonly states: number[] = [];
  readonly pauses: boolean[] = [];
  readonly taken: Buffer[] = [];
  info: StreamInfo | undefined;
  /** Takes nothing more; `resume` ends that. */
  isStalled = false;
  hasEnded = false;
  cause: UpstreamError | undefined;
  readonly hub: Hub;
  readonly plan: PlannedUpstream;
  readonly subscription: Subscription;

  constructor(
    url: string,
    settings: Partial<RtspSettings> = {},
    request: Partial<PlanRequest> = {},
    bufferSlots = 16_384,
  ) {
    this.hub = new Hub({ bufferSlots, fastStart: true, log: this.log });
    const plan = rtspPlanner(
      { ...SETTINGS, ...settings },
      plannerParts(this.log),
    )({
      ...REQUEST,
      url: asByteString(url),
      ...request,
    });
    if ("status" in plan) throw new Error(`${url} is answered ${plan.status}`);
    this.plan = plan;
    this.subscription = this.hub.join(plan, this);
  }

  opened(info: StreamInfo): void {
    this.info = info;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.isStalled) return 0;
    const piece = Buffer.from(bytes.subarray(offset, offset + length));
    if (this.taken.length < 8) this.taken.push(piece);
    this.verifier.push(piece);
    return length;
  }

  entered(state: number): void {
    this.states.push(state);
  }

  paused(isPaused: boolean): void {
    this.pauses.push(isPaused);
  }

  end(cause: Error | undefined): void {
    this.hasEnded = true;
    this.cause = cause as UpstreamError | undefined;
  }

  /** Takes bytes again, as a socket that has drained does. */
  resume(): void {
    this.isStalled = false;
    this.subscription.drained();
    this.subscription.resume();
  }

  /** Lines of the log that begin with a level. */
  lines(level: string): string[] {
    return this.log.lines.filter((line) => line.startsWith(level));
  }

  async playing(packets = 50): Promise<void> {
    const isOver = () => this.verifier.packets >= packets || this.hasEnded;
    await until(isOver, WAIT_MS, `${packets} packets instead of ${this.verifier.packets}`);
    if (this.verifier.packets < packets) throw this.cause ?? new Error("the stream has ended early");
  }

  /** The code of the error with which it has ended; undefined for a regular end. */
  async ended(): Promise<string | undefined> {
    await until(() => this.hasEnded, WAIT_MS, "the end");
    return this.cause?.code;
  }

  /** Leaves, which ends the session. */
  [Symbol.dispose](): void {
    this.subscription.close();
  }
}
