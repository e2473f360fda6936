/** The upstreams of a worker as those see them who watch (`upstreams` of the status payload). */
import type { SourceStats } from "../relay/stats.ts";
import type { UpstreamAbout, UpstreamDetails } from "../relay/upstream.ts";
import type { FccReport, UpstreamReport } from "../wire/status/event.ts";
import { type HealthLimits, HealthMeter } from "./health.ts";
import { Rate } from "./rate.ts";
import { CountedShare, type WorkerTotals } from "./totals.ts";

export class WatchedUpstream {
  readonly id: string;
  readonly #worker: number;
  readonly #source: SourceStats;
  readonly #rate: Rate;
  readonly #share: CountedShare;
  readonly #health = new HealthMeter();

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

  /** Begins to measure, now that somebody watches. */
  watch(now: number): void {
    this.#rate.restart(this.#source.receivedBytes, now);
  }

  /** Begins or ends to look at every packet. */
  examine(isExamined: boolean): void {
    this.#health.turn(isExamined, this.#source);
  }

  /** Adds what has been counted so far to the totals. */
  settle(): void {
    const kernelDrops = this.#source.arrival?.kernelDrops ?? 0;
    this.#share.settle({ bytesReceived: this.#source.receivedBytes, kernelDrops, ...this.#losses() });
  }

  measure(now: number): void {
    this.#rate.measure(this.#source.receivedBytes, now);
    this.#health.measure();
  }

  /** @param limits of `health`; by default what an event has room for */
  report(clients: number, now: number, limits?: HealthLimits): UpstreamReport {
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
      health: this.#health.report(this.#source, limits),
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
      tsContinuityErrors: this.#health.continuityErrors,
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
