/** One URL at a time in the `<video>`: opens the backend that fits, and says what becomes of it. */
import { type BackendEvents, isHlsUrl, type MediaBackend, type MediaDetails, type MediaFailure } from "./backend.ts";
import { HlsBackend, NativeBackend } from "./hls-backend.ts";
import { hasMediaSource, isWebOs } from "./platform.ts";
import { TsBackend } from "./ts-backend.ts";

/** Media that stand still for this time are given up. */
const STALL_TIMEOUT_MS = 15_000;

export interface PlaybackEvents {
  /** Pictures could be shown: somebody must start the element. */
  ready(): void;
  playing(): void;
  /** It stands still, whoever wanted that. */
  paused(): void;
  /** The playing position is another. */
  moved(): void;
  /** The buffer ran dry. */
  waiting(): void;
  /** Everything that the URL gives has been shown. */
  ended(): void;
  details(details: MediaDetails): void;
  unplayableAudio(codec: string): void;
  failed(failure: MediaFailure): void;
}

export class Playback {
  readonly video: HTMLVideoElement;
  readonly #events: PlaybackEvents;
  #backend: MediaBackend | undefined;
  #stallTimer: Timer | undefined;

  constructor(video: HTMLVideoElement, events: PlaybackEvents) {
    this.video = video;
    this.#events = events;
    const ifOpen = (handle: () => void) => () => {
      if (this.#backend) handle();
    };
    // Not before: the backends reset the element, and that would end an earlier attempt to play.
    video.addEventListener("loadedmetadata", ifOpen(events.ready));
    video.addEventListener("ended", ifOpen(events.ended));
    video.addEventListener("pause", ifOpen(events.paused));
    video.addEventListener("timeupdate", ifOpen(events.moved));
    video.addEventListener(
      "playing",
      ifOpen(() => {
        clearTimeout(this.#stallTimer);
        events.playing();
      }),
    );
    video.addEventListener(
      "waiting",
      ifOpen(() => {
        this.#watchStall();
        events.waiting();
      }),
    );
    video.addEventListener(
      "error",
      ifOpen(() => video.error && events.failed({ kind: "decode" })),
    );
  }

  /** Ends what was played before. */
  load(url: string): void {
    this.end();
    this.#open(url, isHlsUrl(url));
  }

  end(): void {
    clearTimeout(this.#stallTimer);
    const backend = this.#backend;
    this.#backend = undefined;
    backend?.destroy();
    this.video.playbackRate = 1;
  }

  #open(url: string, isHls: boolean): void {
    // The events of one that is gone must not reach anybody: it may still await an answer.
    const ifCurrent =
      <A extends readonly unknown[]>(handle: (...values: A) => void) =>
      (...values: A) => {
        if (this.#backend === backend) handle(...values);
      };
    const { details, unplayableAudio, failed } = this.#events;
    const backend = openBackend(this.video, isHls, {
      details: ifCurrent(details),
      unplayableAudio: ifCurrent(unplayableAudio),
      failed: ifCurrent(failed),
      isHls: ifCurrent(() => {
        this.end();
        this.#open(url, true);
      }),
    });
    this.#backend = backend;
    this.#watchStall();
    backend.load(url);
  }

  #watchStall(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = setTimeout(() => {
      if (!this.video.paused || this.video.readyState === 0) this.#events.failed({ kind: "network" });
    }, STALL_TIMEOUT_MS);
  }
}

function openBackend(video: HTMLVideoElement, isHls: boolean, events: BackendEvents): MediaBackend {
  if (isWebOs() || !hasMediaSource()) return new NativeBackend(video);
  return isHls ? new HlsBackend(video, events) : new TsBackend(video, events);
}
