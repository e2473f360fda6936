/** Plays a clip to one receiver in the pace of its clock, from a moment on, perhaps to another. */

import type { LoopClip } from "../wire/mpegts/loop.ts";
import { PaceClock } from "./pace-clock.ts";
import { type Playback, positionTicks } from "./playback.ts";
import { RtpFeed } from "./rtp-feed.ts";

export interface Receiver {
  /** False while it has not taken what it was sent: the media wait for it. */
  readonly isReady: boolean;
  /** An RTP datagram; its memory is used again. */
  take(datagram: Uint8Array): void;
  /** All was sent. */
  ended(): void;
}

export class Playout {
  readonly #receiver: Receiver;
  readonly #feed: RtpFeed;
  readonly #clock: PaceClock;
  readonly #lengthTicks: number;
  #isOver = false;

  /** @param nowMs of a clock that never goes back, as for `tick` */
  constructor(clip: LoopClip, { startMs, endMs }: Playback, receiver: Receiver, nowMs: number) {
    this.#receiver = receiver;
    this.#feed = new RtpFeed(clip, (datagram) => receiver.take(datagram), positionTicks(startMs));
    this.#clock = new PaceClock(nowMs);
    this.#lengthTicks = endMs === undefined ? Number.POSITIVE_INFINITY : positionTicks(endMs - startMs);
  }

  /** Sends what is due. */
  tick(nowMs: number): void {
    if (this.#isOver || !this.#receiver.isReady) return;
    const ticks = this.#clock.advance(nowMs);
    this.#feed.advance(Math.min(ticks, this.#lengthTicks));
    if (ticks < this.#lengthTicks) return;
    this.#isOver = true;
    this.#receiver.ended();
  }
}
