/** How loud it is, and what the viewer chose the last time. */
import { readMuted, readVolume, writeMuted, writeVolume } from "./settings.ts";
import { Store } from "./store.ts";

interface SoundState {
  /** 0 to 1 */
  readonly volume: number;
  readonly isMuted: boolean;
}

export class Sound {
  readonly store: Store<SoundState>;
  #video: HTMLVideoElement;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    this.store = new Store<SoundState>({ volume: readVolume(), isMuted: readMuted() });
    this.goTo(video);
  }

  /** From now on this one is heard. */
  goTo(video: HTMLVideoElement): void {
    this.#video = video;
    video.volume = this.store.value.volume;
    video.muted = this.store.value.isMuted;
  }

  /** @param volume is brought into 0 to 1 */
  setVolume(volume: number): void {
    const inRange = Math.min(1, Math.max(0, volume));
    this.#video.volume = inRange;
    this.store.set({ volume: inRange });
    writeVolume(inRange);
    if (inRange > 0) this.setMuted(false);
  }

  setMuted(isMuted: boolean): void {
    this.#video.muted = isMuted;
    this.store.set({ isMuted });
    writeMuted(isMuted);
  }

  toggleMuted(): void {
    this.setMuted(!this.store.value.isMuted);
  }
}
