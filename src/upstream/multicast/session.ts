/** A multicast group as an upstream: reads its receiver on each tick and hands the media to the parent. */
import type {
  ArrivalCounts,
  RtpCounts,
  StreamInfo,
  Upstream,
  UpstreamAbout,
  UpstreamParent,
} from "../../relay/upstream.ts";
import type { Log } from "../../system/log.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import { ArrivalMeter } from "../rtp/arrival-meter.ts";
import type { Depacketizer, PayloadKind } from "../rtp/depacketizer.ts";
import { LossReport } from "../rtp/loss-report.ts";
import { PollInterval } from "../rtp/poll-interval.ts";
import { GroupReceiver, type GroupReceiverParent } from "./group-receiver.ts";
import { ParityReceivers } from "./parity-receivers.ts";
import type { MulticastOptions, MulticastTarget } from "./target.ts";

/** How long a newly joined group is polled more often. */
const STARTUP_MS = 300;
const LOSS_REPORT_EVERY_MS = 1000;

/** What is known of a group, with the kind of payload once media has come (http.md section 18). */
export function multicastInfo(payload: PayloadKind | undefined): StreamInfo {
  const protocol = ["R2H-Upstream-Protocol", "multicast"] as const;
  return { metadata: payload ? [protocol, ["R2H-Upstream-Payload", payload]] : [protocol] };
}

/** What a session tells besides the media. */
type SessionParent = Pick<UpstreamParent, "entered" | "ended">;

/** Takes the datagrams of a group. */
export interface GroupSink extends DatagramSink {
  /** How many of them were media. */
  readonly payloads: number;
}

export class MulticastSession implements Upstream, GroupReceiverParent {
  readonly input: Depacketizer;
  readonly about: UpstreamAbout;
  /** What takes the datagrams of the group: `input`, until somebody puts himself in between. */
  sink: GroupSink;
  readonly #parent: SessionParent;
  readonly #group: GroupReceiver;
  /** Undefined where parity can only come with the media. */
  readonly #parity: ParityReceivers | undefined;
  readonly #pollInterval: PollInterval;
  readonly #lossReport: LossReport;
  #lossReportedAt: number;
  #hasMedia = false;
  /** While somebody wants to know. */
  #meter: ArrivalMeter | undefined;

  /**
   * @param input takes the media; another source may share it
   * @throws JoinFailedError, InterfaceMissingError
   */
  constructor(
    parent: SessionParent,
    target: MulticastTarget,
    options: MulticastOptions,
    log: Log,
    now: number,
    input: Depacketizer,
  ) {
    this.#parent = parent;
    this.about = target.about;
    this.input = this.sink = input;
    this.#group = new GroupReceiver(this, target, options, log, now);
    if (target.parityPorts?.length) this.#parity = new ParityReceivers(target, options, log);
    this.#pollInterval = new PollInterval(now, STARTUP_MS);
    this.#lossReport = new LossReport(target.name, log);
    this.#lossReportedAt = now;
  }

  get info(): StreamInfo {
    return multicastInfo(this.input.payloadKind);
  }

  get rtp(): RtpCounts {
    return this.input.reorder.counts;
  }

  get arrival(): ArrivalCounts {
    const { kernelDrops } = this.#group;
    return { kernelDrops, senderChanges: this.input.senderChanges, jitterMs: this.#meter?.jitterMs ?? 0 };
  }

  measureArrival(isMeasured: boolean): void {
    this.#meter = isMeasured ? new ArrivalMeter() : undefined;
  }

  get tickMs(): number {
    return this.#pollInterval.tickMs;
  }

  tick(now: number): void {
    if (this.#group.isClosed) return;
    const { sink } = this;
    const before = sink.payloads;
    this.input.tick(now);
    const datagrams = this.#group.receive(this.#meter?.before(sink, now) ?? sink);
    // What we have handed over may have made the parent close us.
    if (this.#group.isClosed) return;
    this.#pollInterval.observe(datagrams, this.#group.receiveBuffer, now);
    const hasMedia = sink.payloads > before;
    if (hasMedia) this.#media();
    // Behind the media, of which it repairs what is missing.
    this.#parity?.receive(this.input.expectParity());
    if (this.#group.isClosed) return;
    this.#group.tick(now, hasMedia);
    if (!this.#group.isClosed && now - this.#lossReportedAt >= LOSS_REPORT_EVERY_MS) this.#reportLoss(now);
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#group.isClosed) return;
    this.#lossReport.end(this.input);
    this.#parity?.close();
    this.#group.close();
  }

  #media(): void {
    this.#pollInterval.endStartup();
    this.#parity?.open();
    if (this.#hasMedia) return;
    this.#hasMedia = true;
    this.#parent.entered(CLIENT_STATE.multicastActive);
  }

  fellSilent(): void {
    this.input.reset();
    this.#parity?.close();
  }

  failed(cause: Error): void {
    this.#parent.ended(cause);
  }

  #reportLoss(now: number): void {
    this.#lossReportedAt = now;
    this.#lossReport.report(this.input);
  }
}
