/** How an upstream's media is, for those who look: one set of measurements for the status events and the probe (health.md). */
import type { ByteInspector, SourceStats } from "../relay/stats.ts";
import type { Elementary } from "../wire/mpegts/elementary.ts";
import { TransportHealth } from "../wire/mpegts/health.ts";
import { TS_PACKET_BYTES } from "../wire/mpegts/packet.ts";
import type { ProgrammeHealth } from "../wire/mpegts/programmes.ts";
import type { HealthReport } from "../wire/status/event.ts";
import { Rate } from "./rate.ts";

/** How much of it is told. */
export interface HealthLimits {
  readonly pids: number;
  readonly programmes: number;
  /** Of a programme. */
  readonly streams: number;
}

/** An event goes to every page once a second. */
const EVENT_LIMITS: HealthLimits = { pids: 32, programmes: 8, streams: 16 };

export class HealthMeter {
  /** Undefined until somebody has looked. */
  #transport: TransportHealth | undefined;
  readonly #rates = new Map<number, Rate>();
  #isOn = false;
  /** When the rates were found out, or began: in ms of the stream's own time, as all that is measured. */
  #measuredAt = 0;

  get continuityErrors(): number {
    return this.#transport?.continuityErrors ?? 0;
  }

  /** Begins or ends to look at every packet. What has been counted stays. */
  turn(isOn: boolean, source: SourceStats): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    if (isOn) this.#transport ??= new TransportHealth();
    const { pids = [], elapsedMs = 0 } = this.#transport ?? {};
    this.#measuredAt = elapsedMs;
    for (const { pid, packets } of pids) this.#rateOf(pid).restart(packets, elapsedMs);
    source.inspect(isOn ? (this.#transport satisfies ByteInspector | undefined) : undefined);
  }

  /** Finds out the rates since the last time. */
  measure(): void {
    if (!this.#isOn || !this.#transport) return;
    const { pids, elapsedMs } = this.#transport;
    for (const { pid, packets } of pids) this.#rateOf(pid).measure(packets, elapsedMs);
    this.#measuredAt = elapsedMs;
  }

  report({ rtp, arrival }: Pick<SourceStats, "rtp" | "arrival">, limits = EVENT_LIMITS): HealthReport {
    const transport = this.#transport;
    const { programmes } = transport ?? {};
    return {
      tsPackets: transport?.packets ?? 0,
      nullPackets: transport?.nullPackets ?? 0,
      scrambledPackets: transport?.scrambled ?? 0,
      transportErrors: transport?.transportErrors ?? 0,
      syncLosses: transport?.syncLosses ?? 0,
      patErrors: programmes?.patErrors ?? 0,
      pmtErrors: programmes?.pmtErrors ?? 0,
      pcrErrors: transport?.pcrErrors ?? 0,
      pcrJumps: transport?.pcrJumps ?? 0,
      pcrJitterMs: tenths(transport?.pcrJitterMs ?? 0),
      ptsErrors: transport?.ptsErrors ?? 0,
      rtpLate: rtp?.late ?? 0,
      rtpSenderChanges: arrival?.senderChanges ?? 0,
      rtpJitterMs: tenths(arrival?.jitterMs ?? 0),
      kernelDrops: arrival?.kernelDrops ?? 0,
      programmes: (programmes?.all ?? []).slice(0, limits.programmes).map((one) => ({
        number: one.number,
        pmtPid: one.pmtPid,
        name: programmes?.serviceOf(one.number)?.name ?? "",
        provider: programmes?.serviceOf(one.number)?.provider ?? "",
        streams: streamsOf(one, limits.streams),
      })),
      pids: (transport?.pids ?? []).slice(0, limits.pids).map(({ pid, packets, continuityErrors, scrambled }) => ({
        ...{ pid, packets, continuityErrors, scrambled },
        bandwidth: (this.#rates.get(pid)?.perSecond ?? 0) * TS_PACKET_BYTES,
      })),
    };
  }

  /** In packets. One that has appeared since began at nothing. */
  #rateOf(pid: number): Rate {
    const known = this.#rates.get(pid);
    if (known) return known;
    const rate = new Rate(0, this.#measuredAt);
    this.#rates.set(pid, rate);
    return rate;
  }
}

function streamsOf({ streams = [] }: ProgrammeHealth, limit: number): HealthReport["programmes"][number]["streams"] {
  return streams.slice(0, limit).map((stream: Elementary) => ({
    pid: stream.pid,
    type: stream.type,
    kind: stream.kind,
    codec: stream.codec ?? "",
    language: stream.language,
    width: stream.video?.width ?? 0,
    height: stream.video?.height ?? 0,
    frameRate: stream.frameRate ?? 0,
    interlaced: stream.video?.isInterlaced ? 1 : 0,
    sampleRate: stream.audio?.sampleRate ?? 0,
    channels: stream.audio?.channels ?? 0,
  }));
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
