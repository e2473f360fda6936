/** The upstreams of a worker as those see them who watch (`upstreams` of the status payload). */
import type { SourceStats } from "../relay/stats.ts";
import type { UpstreamAbout } from "../relay/upstream.ts";
import { TsContinuity } from "../wire/mpegts/continuity.ts";
import { Rate } from "./rate.ts";
import type { UpstreamReport } from "./report.ts";

export class WatchedUpstream {
  readonly id: string;
  readonly #worker: number;
  readonly #source: SourceStats;
  readonly #rate: Rate;
  #continuity: TsContinuity | undefined;

  constructor(worker: number, number: number, source: SourceStats, now: number) {
    this.id = `worker${worker}-upstream${number}`;
    this.#worker = worker;
    this.#source = source;
    this.#rate = new Rate(source.receivedBytes, now);
  }

  get about(): UpstreamAbout {
    return this.#source.about;
  }

  /** Begins or ends what is done only while somebody watches. */
  watch(isWatched: boolean, now: number): void {
    if (isWatched) {
      this.#continuity ??= new TsContinuity();
      this.#rate.restart(this.#source.receivedBytes, now);
    }
    this.#source.inspect(isWatched ? this.#continuity : undefined);
  }

  measure(now: number): void {
    this.#rate.measure(this.#source.receivedBytes, now);
  }

  report(clients: number, now: number): UpstreamReport {
    const { kind, url, interfaceName, receiver } = this.about;
    const { receivedBytes, heardAt, rtp } = this.#source;
    const { lost = 0, reordered = 0, duplicates = 0, late = 0 } = rtp ?? {};
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
      rtpLost: lost,
      rtpReordered: reordered,
      rtpDuplicates: duplicates + late,
      tsContinuityErrors: this.#continuity?.errors ?? 0,
      lastDataMs: Number.isFinite(heardAt) ? Math.max(0, Math.round(now - heardAt)) : -1,
    };
  }
}
