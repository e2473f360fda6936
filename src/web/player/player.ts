/** The parts of the page put together: playlist, playback, address bar, and what the viewer chose. */
import type { Locale } from "../shared/locale.ts";
import { chooseTheme, readTheme, type Theme } from "../shared/theme.ts";
import { findLinked, linkToken } from "./deep-link.ts";
import { type Programme, programmeAt } from "./guide.ts";
import { Library } from "./library.ts";
import { addDigit, COMMIT_AFTER_MS, enteredNumber } from "./number-entry.ts";
import type { Channel } from "./playlist.ts";
import { Session } from "./session.ts";
import {
  type Appearance,
  type PipMode,
  readAppearance,
  readLastChannel,
  readLocale,
  readPipMode,
  readSeamless,
  readSidebar,
  THEME_KEY,
  writeAppearance,
  writeLastChannel,
  writeLocale,
  writePipMode,
  writeSeamless,
  writeSidebar,
} from "./settings.ts";
import { Store } from "./store.ts";

/** How long after the last touch the controls go away. */
const CONTROLS_MS = 3000;

interface View {
  readonly locale: Locale;
  readonly theme: Theme;
  readonly appearance: Appearance;
  readonly pipMode: PipMode;
  readonly isSeamless: boolean;
  readonly isSidebarVisible: boolean;
  readonly areControlsVisible: boolean;
  /** Digits typed so far. */
  readonly entry: string;
  /** What a finger on the picture would do when it leaves. */
  readonly hint: string;
}

export class Player {
  readonly library = new Library();
  readonly session: Session;
  readonly view = new Store<View>({
    locale: readLocale(),
    theme: readTheme(THEME_KEY),
    appearance: readAppearance(),
    pipMode: readPipMode(),
    isSeamless: readSeamless(),
    isSidebarVisible: readSidebar(),
    areControlsVisible: true,
    entry: "",
    hint: "",
  });
  #entryTimer: Timer | undefined;
  #controlsTimer: Timer | undefined;

  /** @param videos two, of which one is seen */
  constructor(videos: readonly [HTMLVideoElement, HTMLVideoElement]) {
    this.session = new Session(videos, () => this.view.value.isSeamless);
    const { locale, appearance } = this.view.value;
    document.documentElement.lang = locale;
    document.documentElement.dataset["appearance"] = appearance;
    addEventListener("hashchange", () => this.#followHash());
  }

  get channels(): readonly Channel[] {
    return this.library.store.value.playlist.channels;
  }

  /** Loads the playlist, anew if need be; tunes what the address names, else what was watched last, else the first. */
  async load(): Promise<void> {
    await this.library.load();
    const { channel } = this.session.store.value;
    const { channels } = this;
    // A channel that is still there goes on playing.
    if (channel) return;
    const last = readLastChannel();
    const first = findLinked(channels, location.hash) ?? channels.find(({ number }) => number === last) ?? channels[0];
    if (first) this.tune(first);
  }

  tune(channel: Channel): void {
    this.cancelEntry();
    this.showControls();
    writeLastChannel(channel);
    history.replaceState(
      history.state,
      "",
      `${location.pathname}${location.search}#${linkToken(this.channels, channel)}`,
    );
    this.session.tune(channel);
  }

  /** The channel so far away in the list, which has no ends. */
  neighbour(by: number): Channel | undefined {
    const { channels } = this;
    const { channel } = this.session.store.value;
    const at = channels.findIndex(({ number }) => number === channel?.number);
    return channels[(Math.max(0, at) + by + channels.length) % channels.length];
  }

  step(by: number): void {
    const channel = this.neighbour(by);
    if (channel) this.tune(channel);
  }

  typeDigit(digit: string): void {
    this.view.set({ entry: addDigit(this.view.value.entry, digit) });
    clearTimeout(this.#entryTimer);
    this.#entryTimer = setTimeout(() => this.commitEntry(), COMMIT_AFTER_MS);
  }

  commitEntry(): void {
    const wanted = enteredNumber(this.view.value.entry);
    this.cancelEntry();
    const channel = this.channels.find(({ number }) => number === wanted);
    if (channel) this.tune(channel);
  }

  cancelEntry(): void {
    clearTimeout(this.#entryTimer);
    if (this.view.value.entry !== "") this.view.set({ entry: "" });
  }

  /** Until nobody has moved anything for a while. */
  showControls(): void {
    if (!this.view.value.areControlsVisible) this.view.set({ areControlsVisible: true });
    clearTimeout(this.#controlsTimer);
    this.#controlsTimer = setTimeout(() => this.hideControls(), CONTROLS_MS);
  }

  /** They stay while nothing plays or one of them is in use. */
  hideControls(): void {
    const { ownerDocument } = this.session.seenVideo;
    const isInUse = ownerDocument.querySelector(".controls :focus-visible, .menu") !== null;
    if (this.session.store.value.phase === "playing" && !isInUse) this.view.set({ areControlsVisible: false });
  }

  toggleSidebar(): void {
    const isSidebarVisible = !this.view.value.isSidebarVisible;
    this.view.set({ isSidebarVisible });
    writeSidebar(isSidebarVisible);
  }

  chooseLocale(locale: Locale): void {
    this.view.set({ locale });
    document.documentElement.lang = locale;
    writeLocale(locale);
  }

  chooseTheme(theme: Theme): void {
    this.view.set({ theme });
    chooseTheme(THEME_KEY, theme);
  }

  chooseAppearance(appearance: Appearance): void {
    this.view.set({ appearance });
    document.documentElement.dataset["appearance"] = appearance;
    writeAppearance(appearance);
  }

  choosePipMode(pipMode: PipMode): void {
    this.view.set({ pipMode });
    writePipMode(pipMode);
  }

  chooseSeamless(isSeamless: boolean): void {
    this.view.set({ isSeamless });
    writeSeamless(isSeamless);
  }

  programmesOf(channel: Channel): readonly Programme[] {
    return this.library.store.value.guide.programmes.programmesOf(channel, Date.now());
  }

  /** Of the channel that is played, at the moment that is seen. */
  currentProgramme(): Programme | undefined {
    const { channel } = this.session.store.value;
    return channel && programmeAt(this.programmesOf(channel), this.session.positionMs());
  }

  #followHash(): void {
    const channel = findLinked(this.channels, location.hash);
    if (channel && channel.number !== this.session.store.value.channel?.number) this.tune(channel);
  }
}
