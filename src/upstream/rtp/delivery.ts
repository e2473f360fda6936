/** Hands payloads in their right order to the parent: as whole TS packets, with the random access points that they hold. */
import type { MediaHistory, UpstreamParent } from "../../relay/upstream.ts";
import type { Memory } from "../../system/memory.ts";
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../wire/mpegts/packet.ts";
import { RandomAccessWatch } from "./random-access.ts";
import type { PayloadSink } from "./reorder.ts";
import { TsAlignment } from "./ts-alignment.ts";

/** What takes the media. */
export type MediaSink = Pick<UpstreamParent, "append" | "markRandomAccess" | "history">;

export class Delivery implements PayloadSink {
  /** Payloads handed on. */
  payloads = 0;
  /** Those that were not MPEG-TS, in a stream that is. */
  strays = 0;
  readonly alignment = new TsAlignment({ payload: (memory, offset, length) => this.deliver(memory, offset, length) });
  readonly #parent: MediaSink;
  readonly #watch = new RandomAccessWatch();

  constructor(parent: MediaSink) {
    this.#parent = parent;
  }

  /** The payload of one RTP packet. */
  payload(memory: Memory, offset: number, length: number): void {
    const { alignment } = this;
    if (alignment.isPlain && length % TS_PACKET_BYTES === 0 && memory.bytes[offset] === TS_SYNC_BYTE) {
      this.deliver(memory, offset, length);
    } else if (!alignment.take(memory, offset, length)) {
      if (alignment.isFound) this.strays++;
      else this.deliver(memory, offset, length);
    }
  }

  /** Whole TS packets, or what is none as it is. */
  deliver(memory: Memory, offset: number, length: number): void {
    this.payloads++;
    const within = this.#watch.look(memory.bytes, offset, length);
    if (within >= 0) this.#parent.markRandomAccess(within, this.#watch.preamble(), this.#watch.pts);
    this.#parent.append(memory, offset, length);
  }

  /** Where payloads are found again, as long as they went there as they were. */
  get history(): MediaHistory | undefined {
    const { alignment } = this;
    const { history } = this.#parent;
    return (
      history && {
        get head() {
          return alignment.isPlain || !alignment.isFound ? history.head : Number.NaN;
        },
        recall: (position, into, offset, length) => history.recall(position, into, offset, length),
      }
    );
  }
}
