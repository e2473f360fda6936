/** The upstreams of a worker as those see them who watch (`upstreams` of the status payload). */
import type { SourceStats } from "../relay/flow.ts";
import { TsContinuity } from "../wire/mpegts/continuity.ts";
import type { UpstreamReport } from "../wire/status/event.ts";
import { Rate } from "./rate.ts";
import { CountedShare, type WorkerTotals } from "./totals.ts";

export interface RtpCounts {
  readonly lost: number;
  readonly reordered: number;
  readonly duplicates: number;
  readonly late: number;
}

export interface UpstreamDescription {
  /** The opener's word for it: `multicast`. */
  readonly kind: string;
  /** Text without anything secret, at most 255 bytes. */
  readonly url: string;
  readonly interfaceName: string | undefined;
  /** How its bytes are read; `stream` for a byte stream. */
  readonly receiver: string;
  /** Undefined where there is no RTP. */
  readonly rtp: () => RtpCounts | undefined;
}

export class WatchedUpstream {
  readonly id: string;
  readonly description: UpstreamDescription;
  readonly #worker: number;
  readonly #flow: SourceStats;
  readonly #rate: Rate;
  readonly #share: CountedShare;
  #continuity: TsContinuity | undefined;

  constructor(
    worker: number,
    number: number,
    flow: SourceStats,
    description: UpstreamDescription,
    totals: WorkerTotals,
    now: number,
  ) {
    this.id = `worker${worker}-upstream${number}`;
    this.description = description;
    this.#worker = worker;
    this.#flow = flow;
    this.#rate = new Rate(flow.receivedBytes, now);
    this.#share = new CountedShare(totals);
    totals.add("upstreams", 1);
  }

  /** Begins or ends what is done only while somebody watches. */
  watch(isWatched: boolean, now: number): void {
    if (isWatched) {
      this.#continuity ??= new TsContinuity();
      this.#rate.restart(this.#flow.receivedBytes, now);
    }
    this.#flow.inspect(isWatched ? this.#continuity : undefined);
  }

  /** Adds what has been counted so far to the totals. */
  settle(): void {
    this.#share.settle({ bytesReceived: this.#flow.receivedBytes, ...this.#losses() });
  }

  measure(now: number): void {
    this.#rate.measure(this.#flow.receivedBytes, now);
  }

  report(clients: number, now: number): UpstreamReport {
    const { kind, url, interfaceName, receiver } = this.description;
    const { receivedBytes, heardAt } = this.#flow;
    return {
      id: this.id,
      workerId: this.#worker,
      kind,
      url,
      interface: interfaceName ?? "",
      receiver,
      clients,
      bandwidth: this.#rate.perSecond,
      totalBytes: receivedBytes,
      ...this.#losses(),
      lastDataMs: Number.isFinite(heardAt) ? Math.max(0, Math.round(now - heardAt)) : -1,
    };
  }

  #losses() {
    const { lost = 0, reordered = 0, duplicates = 0, late = 0 } = this.description.rtp() ?? {};
    return {
      rtpLost: lost,
      rtpReordered: reordered,
      rtpDuplicates: duplicates + late,
      tsContinuityErrors: this.#continuity?.errors ?? 0,
    };
  }
}
