/** A multicast group as an upstream: reads its receiver on each tick and hands the media to the parent. */
import type { StreamInfo, Upstream, UpstreamParent } from "../../relay/stream.ts";
import type { Log } from "../../system/log.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { LossReport } from "../rtp/loss-report.ts";
import { PollInterval } from "../rtp/poll-interval.ts";
import { GroupReceiver, type GroupReceiverParent } from "./group-receiver.ts";
import type { MulticastOptions, MulticastTarget } from "./target.ts";

/** How long a newly joined group is polled more often. */
const STARTUP_MS = 300;
const LOSS_REPORT_EVERY_MS = 1000;

export class MulticastSession implements Upstream, GroupReceiverParent {
  readonly input: Depacketizer;
  readonly #parent: UpstreamParent;
  readonly #group: GroupReceiver;
  readonly #pollInterval: PollInterval;
  readonly #lossReport: LossReport;
  #lossReportedAt: number;

  /** @throws JoinFailedError, InterfaceMissingError */
  constructor(parent: UpstreamParent, target: MulticastTarget, options: MulticastOptions, log: Log, now: number) {
    this.#parent = parent;
    this.input = new Depacketizer(parent);
    this.#group = new GroupReceiver(this, target, options, log, now);
    this.#pollInterval = new PollInterval(now, STARTUP_MS);
    this.#lossReport = new LossReport(target.name, log);
    this.#lossReportedAt = now;
  }

  get info(): StreamInfo {
    const payload = this.input.payloadKind;
    return payload ? { protocol: "multicast", payload } : { protocol: "multicast" };
  }

  get tickMs(): number {
    return this.#pollInterval.tickMs;
  }

  tick(now: number): void {
    if (this.#group.isClosed) return;
    const before = this.input.payloads;
    this.input.reorder.tick(now);
    const datagrams = this.#group.receive(this.input);
    // What we have handed over may have made the parent close us.
    if (this.#group.isClosed) return;
    this.#pollInterval.observe(datagrams, this.#group.receiveBuffer, now);
    const hasMedia = this.input.payloads > before;
    if (hasMedia) this.#pollInterval.endStartup();
    this.#group.tick(now, hasMedia);
    if (!this.#group.isClosed && now - this.#lossReportedAt >= LOSS_REPORT_EVERY_MS) this.#reportLoss(now);
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#group.isClosed) return;
    this.#lossReport.report(this.input);
    this.#group.close();
  }

  fellSilent(): void {
    this.input.reorder.reset();
  }

  failed(cause: Error): void {
    this.#parent.ended(cause);
  }

  #reportLoss(now: number): void {
    this.#lossReportedAt = now;
    this.#lossReport.report(this.input);
  }
}
