/** The upstreams of a worker as those see them who watch (`upstreams` of the status payload). */
import type { SourceStats } from "../relay/stats.ts";
import type { UpstreamAbout, UpstreamDetails } from "../relay/upstream.ts";
import { TsContinuity } from "../wire/mpegts/continuity.ts";
import type { FccReport, UpstreamReport } from "../wire/status/event.ts";
import { Rate } from "./rate.ts";
import { CountedShare, type WorkerTotals } from "./totals.ts";

export class WatchedUpstream {
  readonly id: string;
  readonly #worker: number;
  readonly #source: SourceStats;
  readonly #rate: Rate;
  readonly #share: CountedShare;
  #continuity: TsContinuity | undefined;

  constructor(worker: number, number: number, source: SourceStats, totals: WorkerTotals, now: number) {
    this.id = `worker${worker}-upstream${number}`;
    this.#worker = worker;
    this.#source = source;
    this.#rate = new Rate(source.receivedBytes, now);
    this.#share = new CountedShare(totals);
    totals.add("upstreams", 1);
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

  /** Adds what has been counted so far to the totals. */
  settle(): void {
    this.#share.settle({ bytesReceived: this.#source.receivedBytes, ...this.#losses() });
  }

  measure(now: number): void {
    this.#rate.measure(this.#source.receivedBytes, now);
  }

  report(clients: number, now: number): UpstreamReport {
    const { kind, url, interfaceName, receiver } = this.about;
    const { receivedBytes, heardAt } = this.#source;
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
      fcc: fccReport(this.#source.details),
    };
  }

  #losses() {
    const {
      lost = 0,
      reordered = 0,
      duplicates = 0,
      late = 0,
      repaired = 0,
      unrepairable = 0,
    } = this.#source.rtp ?? {};
    return {
      rtpLost: lost,
      rtpReordered: reordered,
      rtpDuplicates: duplicates + late,
      rtpRepaired: repaired,
      rtpUnrepaired: unrepairable,
      tsContinuityErrors: this.#continuity?.errors ?? 0,
    };
  }
}

/** The names are those of upstream/fcc. */
function fccReport(details: UpstreamDetails = {}): FccReport {
  const text = (name: string) => String(details[name] ?? "");
  const number = (name: string, unknown: number) => Number(details[name] ?? unknown);
  return {
    state: text("fccState"),
    server: text("fccServer"),
    dialect: text("fccDialect"),
    firstUnicastMs: number("fccFirstUnicastMs", -1),
    burstBytes: number("fccBurstBytes", 0),
    gapPackets: number("fccGapPackets", -1),
  };
}
