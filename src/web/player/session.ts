/**
 * What is being played: the one state machine that tunes, replays, recovers and chooses sources (status.md sections 11 to 13).
 */
import type { MediaDetails, MediaFailure } from "./backend.ts";
import { catchupRequests, catchupSource, catchupUrl, LIVE_EDGE_MS, OVERLAP_MS, type TimeRange } from "./catchup.ts";
import { LiveSync } from "./live-sync.ts";
import { bufferedEnd, isBuffered, latencyS } from "./media-element.ts";
import { isWebOs } from "./platform.ts";
import { Playback } from "./playback.ts";
import type { Channel, Source } from "./playlist.ts";
import { RetryPolicy, STABLE_AFTER_MS } from "./retry-policy.ts";
import { readLastSource, readMuted, readVolume, writeLastSource, writeMuted, writeVolume } from "./settings.ts";
import { Store } from "./store.ts";

/** After a return from the background, live media that lag more are asked for again. */
const MAX_BACKGROUND_LAG_S = 8;
/** So far before the end of the buffer playback goes on when it goes live. */
const LIVE_MARGIN_S = 1;

export type Phase =
  | "idle"
  /** Media are asked for, or awaited. */
  | "loading"
  | "playing"
  | "paused"
  /** The browser waits for a click before it plays. */
  | "blocked"
  | "failed";

export interface SessionState {
  readonly phase: Phase;
  readonly channel: Channel | undefined;
  readonly sourceIndex: number;
  /** Undefined when live. */
  readonly catchup: TimeRange | undefined;
  /** Whether playback is kept at the live edge. */
  readonly isFollowing: boolean;
  readonly failure: MediaFailure | undefined;
  /** Of the last request, on the page's server. */
  readonly url: string;
  /** The codec of a sound that the browser does not decode. */
  readonly silentCodec: string | undefined;
  readonly details: MediaDetails;
  readonly retries: number;
  /** 0 to 1 */
  readonly volume: number;
  readonly isMuted: boolean;
}

const NOTHING_PLAYED = {
  failure: undefined,
  silentCodec: undefined,
  details: {},
} satisfies Partial<SessionState>;

export class Session {
  readonly video: HTMLVideoElement;
  readonly store: Store<SessionState>;
  readonly #playback: Playback;
  #requests: Iterator<TimeRange, void> | undefined;
  readonly #retry = new RetryPolicy();
  #sync = new LiveSync();
  #stableTimer: Timer | undefined;
  #retryTimer: Timer | undefined;

  constructor(video: HTMLVideoElement) {
    this.video = video;
    this.store = new Store<SessionState>({
      ...NOTHING_PLAYED,
      phase: "idle",
      channel: undefined,
      sourceIndex: 0,
      catchup: undefined,
      isFollowing: true,
      url: "",
      retries: 0,
      volume: readVolume(),
      isMuted: readMuted(),
    });
    video.volume = this.store.value.volume;
    video.muted = this.store.value.isMuted;
    this.#playback = new Playback(video, {
      ready: () => this.store.value.phase === "loading" && this.play(),
      playing: () => this.#playing(),
      waiting: () => this.#waiting(),
      ended: () => (this.store.value.catchup ? this.#playNextRequest() : this.#failed({ kind: "ended" })),
      details: (details) => this.store.set({ details: { ...this.store.value.details, ...details } }),
      unplayableAudio: (silentCodec) => this.store.set({ silentCodec }),
      failed: (failure) => this.#failed(failure),
    });
    video.addEventListener("timeupdate", () => this.#follow());
    video.addEventListener("pause", () => {
      if (!video.ended && this.store.value.phase === "playing") this.store.set({ phase: "paused", isFollowing: false });
    });
  }

  /** Plays a channel live, from the source that worked last. */
  tune(channel: Channel): void {
    this.#retry.reset();
    this.#sync = new LiveSync();
    this.store.set({ channel, sourceIndex: readLastSource(channel), retries: 0 });
    this.#playLive();
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
    const target = this.video.currentTime + (ms - this.positionMs()) / 1000;
    if (isBuffered(this.video, target)) {
      this.video.currentTime = target;
      this.store.set({ isFollowing: false });
      this.video.playbackRate = 1;
      void this.play();
    } else this.replay(ms);
  }

  goLive(): void {
    const { catchup, phase } = this.store.value;
    const end = bufferedEnd(this.video);
    if (catchup || phase === "failed" || end === undefined || this.video.ended) {
      this.#retry.reset();
      this.#playLive();
      return;
    }
    this.video.currentTime = Math.max(this.video.currentTime, end - LIVE_MARGIN_S);
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
    else this.#playLive();
  }

  tryAgain(): void {
    this.#retry.reset();
    this.#restart();
  }

  async play(): Promise<void> {
    try {
      await this.video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.store.set({ phase: "blocked" });
    }
  }

  togglePlay(): void {
    const { phase } = this.store.value;
    if (phase === "failed") {
      this.tryAgain();
      return;
    }
    if (this.video.paused) return void this.play();
    this.video.pause();
    this.store.set({ phase: "paused", isFollowing: false });
    this.video.playbackRate = 1;
  }

  /** @param volume is brought into 0 to 1 */
  setVolume(volume: number): void {
    const inRange = Math.min(1, Math.max(0, volume));
    this.video.volume = inRange;
    this.store.set({ volume: inRange });
    writeVolume(inRange);
    if (inRange > 0) this.setMuted(false);
  }

  setMuted(isMuted: boolean): void {
    this.video.muted = isMuted;
    this.store.set({ isMuted });
    writeMuted(isMuted);
  }

  dismissNotice(): void {
    this.store.set({ silentCodec: undefined });
  }

  /** When what is seen now was on air, in ms since 1970. */
  positionMs(): number {
    const { catchup } = this.store.value;
    if (catchup) return catchup.beginMs + this.video.currentTime * 1000;
    return Date.now() - (latencyS(this.video) ?? 0) * 1000;
  }

  /** The page is seen again: media may have died meanwhile. */
  returnFromBackground(): void {
    const { phase, catchup } = this.store.value;
    if (phase !== "playing" && phase !== "loading") return;
    const lag = latencyS(this.video) ?? 0;
    const isDead = this.video.error !== null || this.video.ended;
    if (isDead || (!catchup && this.store.value.isFollowing && lag > MAX_BACKGROUND_LAG_S)) this.#restart();
    else if (this.video.paused) void this.play();
  }

  #playLive(): void {
    const { channel, sourceIndex } = this.store.value;
    const source = channel?.sources[sourceIndex];
    if (!source) return;
    this.#requests = undefined;
    this.store.set({ catchup: undefined, isFollowing: true });
    this.#load(source.url);
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
    this.#requests = catchupRequests(ms, now, isWebOs() ? 0 : OVERLAP_MS);
    this.#playNextRequest();
  }

  /** Playback runs from one span of time into the next. */
  #playNextRequest(): void {
    const { channel, sourceIndex } = this.store.value;
    const source = channel?.sources[sourceIndex];
    const range = this.#requests?.next().value;
    if (!source || !range) {
      this.#playLive();
      return;
    }
    this.store.set({ catchup: range, isFollowing: false });
    this.#load(urlOf(source, range));
  }

  #restart(): void {
    if (this.store.value.catchup) this.#playFrom(this.positionMs());
    else this.#playLive();
  }

  #load(url: string): void {
    this.#endTimers();
    this.store.set({ ...NOTHING_PLAYED, phase: "loading", url });
    this.#playback.load(url);
  }

  #endTimers(): void {
    clearTimeout(this.#stableTimer);
    clearTimeout(this.#retryTimer);
  }

  #failed(failure: MediaFailure): void {
    const positionMs = this.positionMs();
    const { channel, sourceIndex, catchup } = this.store.value;
    this.#endTimers();
    this.#playback.end();
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
    if (channel) writeLastSource(channel, sourceIndex);
    this.#stableTimer = setTimeout(() => {
      this.#retry.reset();
      this.#sync.recovered();
      this.store.set({ retries: 0 });
    }, STABLE_AFTER_MS);
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
    const latency = latencyS(this.video);
    if (latency !== undefined) this.video.playbackRate = this.#sync.rate(latency);
  }
}

function urlOf(source: Source, range: TimeRange): string {
  return catchupUrl(source, range, Date.now(), -new Date(range.beginMs).getTimezoneOffset()) ?? source.url;
}

function nextSource(channel: Channel, index: number, needsCatchup: boolean): number {
  const count = channel.sources.length;
  for (let step = 1; step < count; step++) {
    const candidate = (index + step) % count;
    if (!needsCatchup || channel.sources[candidate]?.catchup) return candidate;
  }
  return index;
}
