/**
 * What is being played: the one state machine that tunes, replays, recovers and chooses sources (status.md sections 11 to 13).
 */
import type { MediaFailure } from "./backend.ts";
import { catchupRequests, catchupSource, catchupUrl, LIVE_EDGE_MS, nextSource, OVERLAP_MS } from "./catchup.ts";
import { logInfo, logWarning } from "./console-log.ts";
import { LiveSync } from "./live-sync.ts";
import { bufferedEnd, isBuffered, latencyS } from "./media-element.ts";
import { isInPictureInPicture } from "./picture-in-picture.ts";
import { isWebOs } from "./platform.ts";
import type { Channel } from "./playlist.ts";
import { RetryPolicy, STABLE_AFTER_MS } from "./retry-policy.ts";
import { Screens } from "./screens.ts";
import { NOTHING_PLAYED, type SessionState } from "./session-state.ts";
import { readLastSource, writeLastSource } from "./settings.ts";
import { Sound } from "./sound.ts";
import { Store } from "./store.ts";

/** After a return from the background, live media that lag more are asked for again. */
const MAX_BACKGROUND_LAG_S = 8;
/** So far before the end of the buffer playback goes on when it goes live. */
const LIVE_MARGIN_S = 1;
/** Two replay requests share so much; a television set's own player would begin anew. */
const REPLAY_OVERLAP_MS = isWebOs() ? 0 : OVERLAP_MS;

export class Session {
  readonly sound: Sound;
  readonly store: Store<SessionState>;
  readonly #screens: Screens;
  readonly #isSeamless: () => boolean;
  #requests: ReturnType<typeof catchupRequests> | undefined;
  /** So much of what is loaded need not be seen again. */
  #seenMs = 0;
  readonly #retry = new RetryPolicy();
  #sync = new LiveSync();
  #stableTimer: Timer | undefined;
  #retryTimer: Timer | undefined;

  /**
   * @param videos two, of which one is seen
   * @param isSeamless whether what is seen shall go on until the next channel plays
   */
  constructor(videos: readonly [HTMLVideoElement, HTMLVideoElement], isSeamless: () => boolean) {
    this.#isSeamless = isSeamless;
    this.sound = new Sound(videos[0]);
    this.store = new Store<SessionState>({
      ...NOTHING_PLAYED,
      phase: "idle",
      channel: undefined,
      sourceIndex: 0,
      catchup: undefined,
      isFollowing: true,
      url: "",
      retries: 0,
    });
    this.#screens = new Screens(videos, {
      ready: () => this.store.value.phase === "loading" && this.play(),
      playing: () => this.#playing(),
      paused: () => this.#paused(),
      moved: () => this.#follow(),
      waiting: () => this.#waiting(),
      ended: () =>
        this.store.value.catchup ? this.#playNextRequest(REPLAY_OVERLAP_MS) : this.#failed({ kind: "ended" }),
      details: (details) => this.store.set({ details: { ...this.store.value.details, ...details } }),
      unplayableAudio: (silentCodec) => this.store.set({ silentCodec }),
      failed: (failure) => this.#failed(failure),
      revealed: (video) => this.sound.goTo(video),
    });
  }

  /** Both, for whoever puts them on the page. */
  get videos(): readonly HTMLVideoElement[] {
    return this.#screens.videos;
  }

  get seenVideo(): HTMLVideoElement {
    return this.#screens.seenVideo;
  }

  /** The one whose media count; it may be out of sight. */
  get #video(): HTMLVideoElement {
    return this.#screens.video;
  }

  /** Plays a channel live, from the source that worked last. */
  tune(channel: Channel): void {
    this.#retry.reset();
    this.#sync = new LiveSync();
    const isSeamless = this.#canSwitchUnseen();
    this.store.set({ channel, sourceIndex: readLastSource(channel), retries: 0 });
    this.#playLive(isSeamless);
  }

  /** Plays what was at `ms`; live when that is now, or when no source can. */
  replay(ms: number): void {
    this.#retry.reset();
    this.#playFrom(ms);
  }

  /** Seeks in the buffer if it reaches there, else by catch-up. */
  seek(ms: number): void {
    if (ms > Date.now() - LIVE_EDGE_MS) {
      this.goLive();
      return;
    }
    const target = this.#video.currentTime + (ms - this.positionMs()) / 1000;
    if (isBuffered(this.#video, target)) {
      this.#video.currentTime = target;
      this.store.set({ isFollowing: false });
      this.#video.playbackRate = 1;
      void this.play();
    } else this.replay(ms);
  }

  goLive(): void {
    const { catchup, phase } = this.store.value;
    const end = bufferedEnd(this.#video);
    if (catchup || phase === "failed" || end === undefined || this.#video.ended) {
      this.#retry.reset();
      this.#playLive();
      return;
    }
    this.#video.currentTime = Math.max(this.#video.currentTime, end - LIVE_MARGIN_S);
    this.store.set({ isFollowing: true });
    void this.play();
  }

  /** Keeps the position. */
  chooseSource(sourceIndex: number): void {
    const { catchup } = this.store.value;
    const positionMs = this.positionMs();
    this.#retry.reset();
    this.store.set({ sourceIndex });
    if (catchup) this.#playFrom(positionMs);
    else this.#playLive(this.#canSwitchUnseen());
  }

  tryAgain(): void {
    this.#retry.reset();
    this.#restart();
  }

  async play(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.store.set({ phase: "blocked" });
    }
  }

  togglePlay(): void {
    this.#screens.reveal();
    const { phase } = this.store.value;
    if (phase === "failed") {
      this.tryAgain();
      return;
    }
    if (phase === "paused" && this.#video.readyState === 0) {
      // As soon as there is something to play.
      this.store.set({ phase: "loading" });
      return;
    }
    if (this.#video.paused && phase !== "loading") return void this.play();
    this.#video.pause();
    this.store.set({ phase: "paused", isFollowing: false });
    this.#video.playbackRate = 1;
  }

  dismissNotice(): void {
    this.store.set({ silentCodec: undefined });
  }

  /** When what is seen now was on air, in ms since 1970. */
  positionMs(): number {
    const { catchup } = this.store.value;
    if (catchup) return catchup.beginMs + this.#video.currentTime * 1000;
    return Date.now() - (latencyS(this.#video) ?? 0) * 1000;
  }

  /** The page is seen again: media may have died meanwhile. */
  returnFromBackground(): void {
    const { phase, catchup } = this.store.value;
    if (phase !== "playing" && phase !== "loading") return;
    const lag = latencyS(this.#video) ?? 0;
    const isDead = this.#video.error !== null || this.#video.ended;
    if (isDead || (!catchup && this.store.value.isFollowing && lag > MAX_BACKGROUND_LAG_S)) this.#restart();
    else if (this.#video.paused) void this.play();
  }

  /** Not from or to the past, where the picture stands still, or where the video itself is in another window. */
  #canSwitchUnseen(): boolean {
    const { phase, catchup } = this.store.value;
    const isShown = phase === "playing" || this.#screens.isSwitching;
    return this.#isSeamless() && isShown && !catchup && !isInPictureInPicture();
  }

  #playLive(isSeamless = false): void {
    const { channel, sourceIndex } = this.store.value;
    const source = channel?.sources[sourceIndex];
    if (!source) return;
    this.#requests = undefined;
    this.store.set({ catchup: undefined, isFollowing: true });
    this.#load(source.url, { isSeamless });
  }

  #playFrom(ms: number): void {
    const { channel, sourceIndex } = this.store.value;
    const now = Date.now();
    const capable = channel ? catchupSource(channel, sourceIndex) : -1;
    if (capable < 0 || ms > now - LIVE_EDGE_MS) {
      this.#playLive();
      return;
    }
    this.store.set({ sourceIndex: capable });
    this.#requests = catchupRequests(ms, now, REPLAY_OVERLAP_MS);
    this.#playNextRequest(0);
  }

  /**
   * Playback runs from one span of time into the next.
   * @param seenMs so much of its beginning was seen at the end of the one before
   */
  #playNextRequest(seenMs: number): void {
    const { channel, sourceIndex } = this.store.value;
    const source = channel?.sources[sourceIndex];
    const range = this.#requests?.next().value;
    if (!source || !range) {
      this.#playLive();
      return;
    }
    this.store.set({ catchup: range, isFollowing: false });
    this.#load(catchupUrl(source, range), { seenMs });
  }

  #restart(): void {
    if (this.store.value.catchup) this.#playFrom(this.positionMs());
    else this.#playLive();
  }

  #load(url: string, { isSeamless = false, seenMs = 0 } = {}): void {
    this.#endTimers();
    this.#seenMs = seenMs;
    this.store.set({ ...NOTHING_PLAYED, phase: "loading", url });
    logInfo(`playing ${url}`);
    if (isSeamless) this.#screens.loadUnseen(url);
    else this.#screens.load(url);
  }

  #endTimers(): void {
    clearTimeout(this.#stableTimer);
    clearTimeout(this.#retryTimer);
  }

  #failed(failure: MediaFailure): void {
    const positionMs = this.positionMs();
    const { channel, sourceIndex, catchup, url } = this.store.value;
    this.#endTimers();
    this.#screens.end();
    logWarning(`${failure.kind} failure of ${url}`);
    if (!channel) return;
    const giveUp = () => this.store.set({ phase: "failed", failure });
    if (failure.kind === "unsupported") {
      giveUp();
      return;
    }
    const usable = channel.sources.filter((source) => !catchup || source.catchup).length;
    const step = this.#retry.afterFailure(sourceIndex, usable, failure.kind === "decode");
    this.store.set({ retries: this.#retry.retries });
    if (step.action === "give-up") {
      giveUp();
      return;
    }
    this.store.set({ phase: "loading" });
    const again = () => (catchup ? this.#playFrom(positionMs) : this.#playLive());
    if (step.action === "retry") {
      this.#retryTimer = setTimeout(again, step.delayMs);
      return;
    }
    this.store.set({ sourceIndex: nextSource(channel, sourceIndex, catchup !== undefined) });
    again();
  }

  #playing(): void {
    clearTimeout(this.#stableTimer);
    const { channel, sourceIndex } = this.store.value;
    this.store.set({ phase: "playing" });
    this.#skipSeen();
    if (channel) writeLastSource(channel, sourceIndex);
    this.#stableTimer = setTimeout(() => {
      this.#retry.reset();
      this.#sync.recovered();
      this.store.set({ retries: 0 });
    }, STABLE_AFTER_MS);
  }

  #skipSeen(): void {
    const seenS = this.#seenMs / 1000;
    this.#seenMs = 0;
    if (this.#video.currentTime < seenS && isBuffered(this.#video, seenS)) this.#video.currentTime = seenS;
  }

  #paused(): void {
    if (!this.#video.ended && this.store.value.phase === "playing")
      this.store.set({ phase: "paused", isFollowing: false });
  }

  #waiting(): void {
    if (this.store.value.phase !== "playing") return;
    if (this.store.value.isFollowing) this.#sync.underrun();
    this.store.set({ phase: "loading" });
    clearTimeout(this.#stableTimer);
  }

  #follow(): void {
    const { isFollowing, catchup, phase } = this.store.value;
    if (!isFollowing || catchup || phase !== "playing") return;
    const latency = latencyS(this.#video);
    if (latency !== undefined) this.#video.playbackRate = this.#sync.rate(latency);
  }
}
