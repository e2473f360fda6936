/** What takes a stream's bytes: an HTTP client, a snapshot, later a segmenter, a recorder or a probe. */
import type { StreamInfo, StreamState } from "./upstream.ts";

/** Losses of one consumer alone, because it was too slow (flow-control.md section 5). */
export interface DropCounts {
  readonly droppedPackets: number;
  readonly droppedBytes: number;
}

/** What it throws ends this consumer, and no other. */
export interface Consumer {
  /** Bytes may come: called once, before the first `write`. */
  opened?(info: StreamInfo): void;
  /** Offers bytes; answers how many were taken. Fewer than offered means that `Subscription.drained` will be called. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** The upstream is in another state; told at the beginning too, if there is one. */
  entered?(state: StreamState): void;
  /** The source has stopped being read because of this consumer, or is read again. */
  paused?(isPaused: boolean): void;
  /**
   * Packets were dropped because the consumer is too slow: the counts so far. Told of the first one and of each
   * 200th, as far as they are not dropped together.
   */
  dropped?(counts: DropCounts): void;
  /** There will be no more: everything was written, or nothing ever came (`cause` says why). */
  end(cause: Error | undefined): void;
}
