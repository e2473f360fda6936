/** Media that comes to the UDP ports of a session, RTP or bare MPEG-TS, as an upstream of a stream (rtsp.md section 10.2). */
import type { Upstream, UpstreamParent } from "../../relay/stream.ts";
import type { Log } from "../../system/log.ts";
import type { UdpPair } from "../../system/udp-pair.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { PollInterval } from "../rtp/poll-interval.ts";
import type { RtspStreamInfo } from "./stream-info.ts";

/** How long the ports are read more often after PLAY. */
const EAGER_MS = 300;
const HOUSEKEEPING_MS = 1000;

export interface UdpMediaOwner {
  /** For logs. */
  readonly server: string;
  readonly info: RtspStreamInfo;
  /** The first datagram has come. */
  mediaCame(): void;
  /** The media is not wanted any more. */
  close(): void;
}

export class UdpMedia implements Upstream {
  readonly input: Depacketizer;
  readonly #parent: UpstreamParent;
  readonly #pair: UdpPair;
  readonly #owner: UdpMediaOwner;
  readonly #log: Log;
  readonly #pace: PollInterval;
  #state: "waiting" | "flowing" | "closed" = "waiting";
  #keptHouseAt: number;
  #reportedLost = 0;

  /** The ports stay the owner's. */
  constructor(parent: UpstreamParent, pair: UdpPair, owner: UdpMediaOwner, log: Log, now: number) {
    this.#parent = parent;
    this.#pair = pair;
    this.#owner = owner;
    this.#log = log;
    this.input = new Depacketizer(parent);
    this.#pace = new PollInterval(now, EAGER_MS);
    this.#keptHouseAt = now;
  }

  get info(): RtspStreamInfo {
    return this.#owner.info;
  }

  get tickMs(): number {
    return this.#pace.tickMs;
  }

  tick(now: number): void {
    if (this.#state === "closed") return;
    this.input.reorder.tick(now);
    const count = this.#pair.receive(this.input);
    this.#pace.observe(count, this.#pair.receiveBuffer, now);
    if (count > 0 && this.#state === "waiting") {
      this.#state = "flowing";
      this.#owner.mediaCame();
    }
    if (this.input.payloads > 0) this.#pace.endStartup();
    if (now - this.#keptHouseAt >= HOUSEKEEPING_MS) this.#keepHouse(now);
  }

  /** Nothing more will come: what has is handed over. */
  end(cause: Error | undefined): void {
    if (this.#state === "closed") return;
    this.#pair.receive(this.input);
    this.input.reorder.reset();
    this.#parent.ended(cause);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#owner.close();
  }

  #keepHouse(now: number): void {
    this.#keptHouseAt = now;
    this.#pair.drainControl();
    const failure = this.#pair.consumeReadError();
    if (failure) this.#log.error(`${this.#owner.server}: cannot receive: ${failure.message}`);
    const { lost } = this.input.reorder.counts;
    if (lost > this.#reportedLost) {
      this.#log.warn(`${this.#owner.server}: ${lost - this.#reportedLost} RTP packets lost on the way to us`);
      this.#reportedLost = lost;
    }
  }
}
