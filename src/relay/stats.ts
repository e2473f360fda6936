/** What can be seen of media on its way, for those who watch: what has come from an upstream, and what waits for a consumer. */
import type { Ring } from "./ring.ts";
import type { ArrivalCounts, RtpCounts, UpstreamAbout, UpstreamDetails } from "./upstream.ts";

/** Media that comes from an upstream. */
export interface SourceStats {
  readonly about: UpstreamAbout;
  /** Bytes since it was opened. */
  readonly receivedBytes: number;
  /** When the last ones came, in ms of `performance.now()`; −∞ before the first. */
  readonly heardAt: number;
  /** Undefined where there is no RTP. */
  readonly rtp: RtpCounts | undefined;
  /** Undefined where nothing comes in datagrams. */
  readonly arrival: ArrivalCounts | undefined;
  /** As the protocol names them. */
  readonly details: UpstreamDetails | undefined;
  /** Shows an inspector all that comes from now on, and measures how datagrams arrive; undefined ends that. */
  inspect(inspector: ByteInspector | undefined): void;
}

export interface ByteInspector {
  /** @param now when they have come, in ms of `performance.now()` */
  look(bytes: Uint8Array, offset: number, length: number, now: number): void;
  /** Some bytes between the last ones and the next ones cannot be shown. */
  missed(): void;
}

/** What waits for one consumer, in bytes, and what became of what could not wait (flow-control.md sections 3 to 5). */
export interface QueueStats {
  readonly queuedBytes: number;
  readonly limitBytes: number;
  readonly peakBytes: number;
  readonly droppedPackets: number;
  readonly droppedBytes: number;
  readonly backpressureEvents: number;
  readonly isSlow: boolean;
}

/** Shows what is new in a ring. Costs nothing per packet, and nothing at all while there is none. */
export class Tap {
  readonly #ring: Ring;
  readonly #inspector: ByteInspector;
  #position: number;

  /** Begins with what comes next. */
  constructor(ring: Ring, inspector: ByteInspector) {
    this.#ring = ring;
    this.#inspector = inspector;
    this.#position = ring.head;
    inspector.missed();
  }

  catchUp(now: number): void {
    const ring = this.#ring;
    if (!ring.holds(this.#position)) {
      this.#position = ring.head;
      this.#inspector.missed();
    }
    while (this.#position < ring.head) {
      const offset = ring.offsetOf(this.#position);
      const length = Math.min(ring.head - this.#position, ring.capacity - offset);
      this.#inspector.look(ring.bytes, offset, length, now);
      this.#position += length;
    }
  }
}
