/** Two players of which one is seen: the next channel can begin out of sight (status.md section 13, seamless switch). */
import { Playback, type PlaybackEvents } from "./playback.ts";

/** Of a video that is not to be seen. */
const UNSEEN = "unseen";

interface ScreensEvents extends PlaybackEvents {
  /** Another video is seen from now on. */
  revealed(video: HTMLVideoElement): void;
}

export class Screens {
  readonly videos: readonly [HTMLVideoElement, HTMLVideoElement];
  readonly #events: ScreensEvents;
  readonly #players: readonly [Playback, Playback];
  /** The one whose media count. */
  #current: Playback;
  /** It is seen until the current one plays. */
  #leaving: Playback | undefined;

  constructor(videos: readonly [HTMLVideoElement, HTMLVideoElement], events: ScreensEvents) {
    this.videos = videos;
    this.#events = events;
    this.#players = [this.#playerFor(videos[0]), this.#playerFor(videos[1])];
    this.#current = this.#players[0];
    videos[1].classList.add(UNSEEN);
  }

  /** The one whose media count; it may be out of sight. */
  get video(): HTMLVideoElement {
    return this.#current.video;
  }

  get seenVideo(): HTMLVideoElement {
    return (this.#leaving ?? this.#current).video;
  }

  get isSwitching(): boolean {
    return this.#leaving !== undefined;
  }

  /** Ends what was played before, and plays this in its place. */
  load(url: string): void {
    this.reveal();
    this.#current.load(url);
  }

  /** What is seen goes on until this plays. */
  loadUnseen(url: string): void {
    if (!this.#leaving) {
      this.#leaving = this.#current;
      this.#current = this.#current === this.#players[0] ? this.#players[1] : this.#players[0];
      this.video.muted = true;
    }
    this.#current.load(url);
  }

  /** Ends a switch that is under way: the current video is seen, whatever it shows. Harmless when none is. */
  reveal(): void {
    const leaving = this.#leaving;
    if (!leaving) return;
    this.#leaving = undefined;
    this.video.classList.remove(UNSEEN);
    this.#events.revealed(this.video);
    leaving.video.classList.add(UNSEEN);
    leaving.end();
  }

  end(): void {
    this.reveal();
    this.#current.end();
  }

  #playerFor(video: HTMLVideoElement): Playback {
    const ifCurrent =
      <A extends readonly unknown[]>(handle: (...values: A) => void) =>
      (...values: A) => {
        if (this.#current === player) handle(...values);
      };
    const events = this.#events;
    const player = new Playback(video, {
      ready: ifCurrent(events.ready),
      playing: ifCurrent(() => {
        this.reveal();
        events.playing();
      }),
      paused: ifCurrent(events.paused),
      moved: ifCurrent(events.moved),
      waiting: ifCurrent(events.waiting),
      ended: ifCurrent(events.ended),
      details: ifCurrent(events.details),
      unplayableAudio: ifCurrent(events.unplayableAudio),
      failed: ifCurrent(events.failed),
    });
    return player;
  }
}
