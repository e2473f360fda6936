/** Says once, when all workers serve and lists are loaded or take long, what `banner.ts` knows; and later how the lists came out. */

import type { Settings } from "../config/settings.ts";
import { type Log, sayUnlessQuiet } from "../system/log.ts";
import { type BannerFacts, bannerLines, bannerText, channelsText, type LoadedChannels } from "./banner.ts";

/** Nobody waits longer for the banner, whatever a list server does. */
const LISTS_MS = 2000;

interface StartReportParts {
  readonly log: Log;
  /** Shows text on the terminal, if that is where standard output goes. */
  readonly print: ((text: string) => void) | undefined;
  readonly listsMs?: number;
}

export class StartReport {
  readonly #parts: StartReportParts;
  /** `incomplete`: told, but lists were missing. */
  #state: "waiting" | "incomplete" | "over" = "waiting";
  #facts: Omit<BannerFacts, "loaded"> | undefined;
  #loaded: LoadedChannels | undefined;
  #timer: Timer | undefined;

  constructor(parts: StartReportParts) {
    this.#parts = parts;
  }

  /** All workers serve. */
  ready(facts: Omit<BannerFacts, "loaded">): void {
    this.#facts = facts;
    const { services, externalM3u } = facts.settings;
    const hasLists = services !== "" || externalM3u.length > 0;
    if (this.#loaded || !hasLists) this.#tell(facts);
    else this.#timer = setTimeout(() => this.#tell(facts), this.#parts.listsMs ?? LISTS_MS);
  }

  /** Lists have been loaded, or could not be. */
  loaded(loaded: LoadedChannels): void {
    const before = this.#loaded;
    this.#loaded = loaded;
    if (!this.#facts) return;
    if (this.#state === "waiting") this.#tell(this.#facts);
    else if (this.#state === "incomplete" && !isSame(before, loaded)) this.#tellChannels(this.#facts.settings, loaded);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#state = "over";
  }

  #tell(facts: Omit<BannerFacts, "loaded">): void {
    clearTimeout(this.#timer);
    if (this.#state !== "waiting") return;
    const { log, print } = this.#parts;
    const lines = bannerLines({ ...facts, loaded: this.#loaded });
    sayUnlessQuiet(log, () => {
      if (print) print(bannerText(lines));
      else for (const { name, text } of lines) log.info(`${name}: ${text}`);
    });
    this.#told();
  }

  #tellChannels(settings: Settings, loaded: LoadedChannels): void {
    const { log } = this.#parts;
    sayUnlessQuiet(log, () => log.info(`channels: ${channelsText(settings, loaded)}`));
    this.#told();
  }

  #told(): void {
    this.#state = this.#loaded?.failed === 0 || !this.#facts?.settings.externalM3u.length ? "over" : "incomplete";
  }
}

function isSame(a: LoadedChannels | undefined, b: LoadedChannels): boolean {
  return a?.channels === b.channels && a.failed === b.failed;
}
